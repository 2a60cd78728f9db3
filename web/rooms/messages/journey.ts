import type { Message } from '../../../src/messages/schema.ts';
import { remedyOf } from './words.ts';

export type TimelineStep = {
  key: 'taken' | 'sent' | 'delivered' | 'read' | 'ended';
  title: string;
  /** done = it happened; now = it is happening; ahead = it may come; trouble = it ended here. */
  state: 'done' | 'now' | 'ahead' | 'trouble' | 'stopped';
  at: string | null;
  /** Plain words below the title. */
  words?: string;
};

type Journey = Pick<Message, 'created_at' | 'delivery'>;

const ends = ['failed', 'unknown', 'cancelled', 'missed'];

/** The journey of one message, step by step; a step that failed says why and what to do. */
export function timelineOf({ created_at, delivery }: Journey, now: number): TimelineStep[] {
  const taken: TimelineStep = { key: 'taken', title: 'Taken by Convoke', state: 'done', at: created_at };
  const ended = ends.includes(delivery.status);
  if (ended && delivery.sent_at === null) return [taken, endOf(delivery)];
  const steps = [taken, sentStep(delivery, now), arrivedStep(delivery), readStep(delivery)];
  return ended ? [...steps.filter(step => step.state === 'done'), endOf(delivery)] : steps;
}

type Delivery = Journey['delivery'];

function sentStep(delivery: Delivery, now: number): TimelineStep {
  const base = { key: 'sent' as const, title: 'Sent to WhatsApp', at: delivery.sent_at };
  if (delivery.sent_at !== null) return { ...base, state: 'done' };
  if (delivery.status === 'queued') {
    const late = Date.parse(delivery.due_at) < now - 5_000;
    return { ...base, state: 'ahead', ...(late ? { words: 'It waits for its channel.' } : {}) };
  }
  return { ...base, state: 'now', words: 'Handed over; WhatsApp has not answered yet.' };
}

function arrivedStep(delivery: Delivery): TimelineStep {
  const several = (delivery.recipients ?? 0) > 1;
  return countedStep(delivery, {
    key: 'delivered',
    title: several ? "On the recipients' phones" : "On the recipient's phone",
    at: delivery.delivered_at,
    count: delivery.delivered_count,
  });
}

function readStep(delivery: Delivery): TimelineStep {
  return countedStep(delivery, {
    key: 'read',
    title: 'Read',
    at: delivery.read_at,
    count: delivery.read_count,
  });
}

/** In groups, how many of how many; all of them make the step done. */
function countedStep(
  { recipients, sent_at, status }: Delivery,
  step: { key: 'delivered' | 'read'; title: string; at: string | null; count: number },
): TimelineStep {
  const { key, title, at, count } = step;
  const of = recipients !== null && recipients > 1 && sent_at !== null ? ` (${count} of ${recipients})` : '';
  const done = at !== null || (key === 'delivered' && status === 'read');
  const state = done ? 'done' : count > 0 ? 'now' : 'ahead';
  return { key, title: `${title}${of}`, state, at };
}

function endOf(delivery: Delivery): TimelineStep {
  const titles: Record<string, string> = {
    failed: 'Not sent',
    unknown: 'Unclear whether WhatsApp took it',
    cancelled: 'Cancelled',
    missed: 'Missed its time',
  };
  return {
    key: 'ended',
    title: titles[delivery.status] ?? 'Ended',
    state: delivery.status === 'cancelled' ? 'stopped' : 'trouble',
    at: delivery.ended_at,
    words: remedyOf(delivery.status, delivery.reason, delivery.detail),
  };
}
