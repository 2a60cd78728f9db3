import type { Capabilities } from '../channels/index.ts';
import { AppError, type Content, invalidField } from '../kernel/index.ts';
import type { DeliveryStatus } from './schema.ts';

/**
 * How far a delivery has come. A status may only be replaced by one further on; `unknown` may be cleared up by
 * evidence or sent again by decision, the ends of the other branches are final.
 */
const rank: Record<DeliveryStatus, number> = {
  queued: 0,
  in_flight: 1,
  unknown: 2,
  accepted: 3,
  sent: 4,
  delivered: 5,
  read: 6,
  failed: 7,
  cancelled: 7,
  missed: 7,
};

/** Ends that only make sense from certain states: nothing that was on the wire is cancelled or missed. */
const endsFrom: Partial<Record<DeliveryStatus, readonly DeliveryStatus[]>> = {
  cancelled: ['queued'],
  missed: ['queued'],
  unknown: ['in_flight'],
  failed: ['queued', 'in_flight', 'unknown', 'accepted'],
  queued: ['in_flight', 'unknown'],
};

/** Neither sent as far as we know, nor at another end. */
export function isOpen(status: DeliveryStatus): boolean {
  return rank[status] < rank.sent && !hasEnded(status);
}

/** Otherwise than sent; `unknown` may still be cleared up. */
export function hasEnded(status: DeliveryStatus): boolean {
  return rank[status] === rank.failed || status === 'unknown';
}

/** Whether a delivery may go from one status to another. Receipts in any order lead to the same end. */
export function mayBecome(from: DeliveryStatus, to: DeliveryStatus): boolean {
  if (from === 'failed' || from === 'cancelled' || from === 'missed') return false;
  const sources = endsFrom[to];
  return sources ? sources.includes(from) : rank[to] > rank[from];
}

export type Outcome = 'waiting' | 'under_way' | 'delivered' | 'needs_you' | 'stopped';

const outcomes: Record<DeliveryStatus, Outcome> = {
  queued: 'waiting',
  in_flight: 'under_way',
  accepted: 'under_way',
  sent: 'delivered',
  delivered: 'delivered',
  read: 'delivered',
  failed: 'needs_you',
  unknown: 'needs_you',
  missed: 'needs_you',
  cancelled: 'stopped',
};

/** The group that the Activity page shows a status in. */
/** Why a message has failed that somebody, or the workspace's rule, has decided not to send again. */
export const GIVEN_UP_REASON = 'given_up';

/** What was given up has had its decision: it needs nobody any more. */
export function outcomeOf({ status, reason }: { status: string; reason: string | null }): Outcome {
  if (reason === GIVEN_UP_REASON) return 'stopped';
  return outcomes[status as DeliveryStatus] ?? 'needs_you';
}

export function statusesOf(outcome: Outcome): DeliveryStatus[] {
  return (Object.keys(outcomes) as DeliveryStatus[]).filter(status => outcomes[status] === outcome);
}

/** 422 on `content` when the channel cannot carry it. Length counts code points: an emoji is one or a few. */
export function checkContent(capabilities: Capabilities, content: Content): void {
  if (!capabilities.content.includes(content.type)) {
    throw invalidField(
      'content.type',
      `This channel cannot send ${content.type}. It can send ${capabilities.content.join(', ')}.`,
    );
  }
  const length = Array.from(content.text.body).length;
  if (length > capabilities.textLimit) {
    throw invalidField(
      'content.text.body',
      `The text has ${length} characters; this channel carries at most ${capabilities.textLimit}. Shorten it.`,
    );
  }
}

/** Immediate sends may wait a day for their channel; scheduled ones are missed after a quarter of an hour. */
export const CATCH_UP_MS = { immediate: 86_400_000, scheduled: 15 * 60_000 } as const;

const PAST_GRACE_MS = 60_000;
const FURTHEST_MS = 366 * 86_400_000;

/** The instant at which a message is due; 422 on `send_at` when it lies in the past or too far ahead. */
export function dueAtOf(sendAt: string | undefined, now: Date): Date {
  if (sendAt === undefined) return now;
  const at = new Date(sendAt);
  if (at.getTime() < now.getTime() - PAST_GRACE_MS) {
    throw invalidField(
      'send_at',
      'This moment has passed. Choose a later one, or leave `send_at` out to send at once.',
    );
  }
  if (at.getTime() > now.getTime() + FURTHEST_MS) {
    throw invalidField(
      'send_at',
      'This is more than a year ahead. Choose an earlier moment, or make a reminder.',
    );
  }
  return at.getTime() < now.getTime() ? now : at;
}

/** 409: what has left cannot be cancelled. */
export function refuseCancel(status: DeliveryStatus): AppError {
  const said =
    status === 'cancelled'
      ? 'It is cancelled already.'
      : `It is ${status.replace('_', ' ')} and cannot be taken back.`;
  return new AppError('illegal_state', `Only a message that is still queued can be cancelled. ${said}`, {
    extra: { delivery_status: status },
  });
}
