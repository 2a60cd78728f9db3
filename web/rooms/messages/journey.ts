import type { Message, WaitingFor } from '../../../src/messages/schema.ts';
import type { Attempt, Delivery, TimelineStep } from './timeline-step.ts';
import { triesOf, wasSaidToHaveArrived, wasSentAgain } from './tries.ts';
import { waits } from './waits.ts';
import { remedyOf } from './words.ts';

type Journey = Pick<Message, 'created_at' | 'delivery'> & { attempts?: Attempt[] };

const endStates: Partial<Record<Delivery['status'], 'stopped' | 'doubt'>> = {
  cancelled: 'stopped',
  unknown: 'doubt',
};
const ends = ['failed', 'unknown', 'cancelled', 'missed'];

/** The journey of one message, step by step; a step that failed says why and what to do. */
export function timelineOf({ created_at, delivery, attempts = [] }: Journey, now: number): TimelineStep[] {
  const taken: TimelineStep = { key: 'taken', title: 'Taken by Convoke', state: 'done', at: created_at };
  const before = [taken, ...triesOf(delivery, attempts)];
  const ended = ends.includes(delivery.status);
  if (ended && delivery.sent_at === null) return [...before, endOf(delivery)];
  const steps = [sentStep(delivery, attempts, now), arrivedStep(delivery), readStep(delivery)];
  if (!ended) return [...before, ...steps];
  return [...before, ...steps.filter(({ state }) => state === 'done'), endOf(delivery)];
}

function sentStep(delivery: Delivery, attempts: Attempt[], now: number): TimelineStep {
  const base = { key: 'sent' as const, title: 'Sent to WhatsApp', at: delivery.sent_at };
  if (delivery.sent_at !== null) return { ...base, state: 'done', ...sentWords(delivery, attempts) };
  const last = attempts.at(-1);
  const again = attempts.some(({ status }) => status === 'unknown');
  if (delivery.status === 'queued') {
    if (delivery.waiting_for !== null)
      return { ...base, state: 'ahead', ...waitOf(delivery, delivery.waiting_for) };
    if (again)
      return { ...base, state: 'ahead', words: 'It goes out again as soon as its channel is ready.' };
    const late = Date.parse(delivery.due_at) < now - 5_000;
    return { ...base, state: 'ahead', ...(late ? { words: 'It waits for its channel.' } : {}) };
  }
  if (last && last.status !== 'in_flight' && last.status !== 'accepted') return { ...base, state: 'ahead' };
  const words = again ? 'Sent again under the same id' : 'Handed over';
  return { ...base, state: 'now', words: `${words}; WhatsApp has not answered yet.` };
}

function waitOf({ waiting_until }: Delivery, reason: WaitingFor): Pick<TimelineStep, 'words' | 'goesOnAt'> {
  return { words: waits[reason].words, ...(waiting_until === null ? {} : { goesOnAt: waiting_until }) };
}

/** How it came to be sent, where that was not the straight way. */
function sentWords(delivery: Delivery, attempts: Attempt[]): { title?: string; words?: string } {
  if (wasSaidToHaveArrived(delivery, attempts)) {
    return {
      title: 'Marked as arrived',
      words: 'Somebody here said so; WhatsApp itself never confirmed that it took the message.',
    };
  }
  if (wasSentAgain(attempts))
    return { words: 'Sent again under the same id. Phones show such a message once, as far as is known.' };
  if (delivery.doubt_at === null) return {};
  return { words: 'The proof came late, after the connection had broken. It was not sent again.' };
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
  if (delivery.reason === 'given_up') {
    const words = 'Nobody could tell whether it arrived. It was decided not to send it again.';
    return { key: 'ended', title: 'Given up', state: 'stopped', at: delivery.ended_at, words };
  }
  const titles: Record<string, string> = {
    failed: 'Not sent',
    unknown: 'Unclear whether it arrived',
    cancelled: 'Cancelled',
    missed: 'Missed its time',
  };
  return {
    key: 'ended',
    title: titles[delivery.status] ?? 'Ended',
    state: endStates[delivery.status] ?? 'trouble',
    at: delivery.ended_at,
    words: remedyOf(delivery.status, delivery.reason, delivery.detail),
  };
}
