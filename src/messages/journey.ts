import type { SendOutcome } from '../channels/index.ts';
import { GIVEN_UP_REASON, mayBecome } from './policy.ts';
import type { DeliveryStatus } from './schema.ts';

/** Where a delivery stands. Each `…At` is set once, at the first time that the step is known of. */
export type Journey = {
  status: DeliveryStatus;
  reason: string | null;
  detail: string | null;
  dueAt: Date;
  catchUpUntil: Date;
  /** How many people get it; null until it enters the wire. */
  recipients: number | null;
  deliveredCount: number;
  readCount: number;
  inFlightAt: Date | null;
  acceptedAt: Date | null;
  sentAt: Date | null;
  deliveredAt: Date | null;
  readAt: Date | null;
  endedAt: Date | null;
  /** Until then what got no answer may be sent again under the same id; null where that must never happen. */
  resendUntil: Date | null;
  /** Since when it is not known whether the message left; null while every attempt is accounted for. */
  doubtAt: Date | null;
  /** What the workspace wants done with it by itself once it is unknown; null = a person decides. */
  onUnknown: OnUnknown | null;
};

export type OnUnknown = 'send_again' | 'give_up';

export type Why = { reason: string; detail: string };

const STEP_AT = {
  in_flight: 'inFlightAt',
  accepted: 'acceptedAt',
  sent: 'sentAt',
  delivered: 'deliveredAt',
  read: 'readAt',
  failed: 'endedAt',
  unknown: 'endedAt',
  cancelled: 'endedAt',
  missed: 'endedAt',
} as const;

/**
 * The journey after one more step, which never leads back: a step that was overtaken leaves only its
 * time. The same object comes back when nothing changes.
 */
export function advance(
  journey: Journey,
  to: Exclude<DeliveryStatus, 'queued'>,
  at: Date,
  why?: Why,
): Journey {
  const column = STEP_AT[to];
  if (!mayBecome(journey.status, to)) {
    const overtaken = isForward(to) && isForward(journey.status) && journey[column] === null;
    return overtaken ? { ...journey, [column]: at } : journey;
  }
  const next = { ...journey, status: to, [column]: journey[column] ?? at };
  if (why) return { ...next, ...why, endedAt: at };
  return { ...next, reason: null, detail: null, endedAt: null };
}

/** What the answer to an attempt says of the attempt itself. */
export type AttemptVerdict = {
  status: 'accepted' | 'refused' | 'deferred' | 'unknown';
  code: string | null;
  detail: string | null;
};

export function judgeAttempt(outcome: SendOutcome): AttemptVerdict {
  switch (outcome.outcome) {
    case 'accepted':
      return { status: 'accepted', code: null, detail: null };
    case 'refused':
      return { status: 'refused', code: outcome.code, detail: outcome.detail };
    case 'deferred':
      return { status: 'deferred', code: outcome.code, detail: null };
    case 'unknown':
      return { status: 'unknown', code: outcome.cause, detail: UNKNOWN.detail };
  }
}

export const UNKNOWN: Why = {
  reason: 'no_answer',
  detail:
    'The provider did not confirm this message, so it may or may not have arrived. Ask the recipient before you send it again.',
};

export const MISSED: Why = {
  reason: 'channel_not_ready',
  detail:
    'The channel was not connected in time, so this message was not sent. Connect it, then send it again.',
};

export const RESTRICTED: Why = {
  reason: 'channel_restricted',
  detail:
    'The number was restricted by its provider when this message was due, so it was not sent. Wait until the restriction has ended, then send it again.',
};

export const MISSED_WHILE_PARKED: Why = {
  reason: 'parked',
  detail: 'Sending was parked when this message was due, and it was decided not to send it afterwards.',
};

export const GROUP_GONE: Why = {
  reason: 'group_archived',
  detail:
    'The channel is no longer in this group. Remove it from the recipients, or let somebody add the number again.',
};

export const CHANNEL_REMOVED: Why = {
  reason: 'channel_removed',
  detail: 'The channel was removed before this message was sent.',
};

const NOT_SENT: Why = {
  reason: 'not_sent',
  detail: 'This message could not be handed over for a whole day. Check the recipient, then send it again.',
};

/** What the answer to an attempt makes of the journey. `answerMeans` is the adapter's word for a positive one. */
export function settle(
  journey: Journey,
  outcome: SendOutcome,
  answerMeans: 'sent' | 'accepted',
  now: Date,
): Journey {
  switch (outcome.outcome) {
    case 'accepted': {
      const next = advance(journey, answerMeans, outcome.at);
      if (outcome.recipients === undefined) return next;
      return countUp({ ...next, recipients: outcome.recipients }, outcome.at);
    }
    case 'refused':
      // Late, after somebody had decided to send it again.
      if (journey.status === 'queued') return journey;
      // The answer is to this attempt; one before it may have arrived all the same, and another try is of no use.
      if (journey.doubtAt) return advance(journey, 'unknown', now, UNKNOWN);
      return advance(journey, 'failed', now, { reason: outcome.code, detail: outcome.detail });
    case 'deferred':
      return journey.doubtAt ? journey : defer(journey, outcome.until, now);
    case 'unknown':
      return doubt(journey, now);
  }
}

/**
 * Nobody knows whether it left. While it may be sent again under the same id it stays on the wire, so that it can
 * be neither cancelled nor missed; afterwards it is unknown.
 */
export function doubt(journey: Journey, now: Date): Journey {
  if (journey.status === 'in_flight' && journey.resendUntil && journey.resendUntil > now)
    return journey.doubtAt ? journey : { ...journey, doubtAt: now };
  return advance(journey, 'unknown', now, UNKNOWN);
}

/** Back to the outbox because a person or the workspace's policy says so, whatever became of it before. */
export function sendAgain(journey: Journey, now: Date): Journey {
  if (journey.status !== 'unknown') return journey;
  return {
    ...journey,
    status: 'queued',
    reason: null,
    detail: null,
    endedAt: null,
    // It counts from this decision how long it is tried. Under its own id it stays the same message, and in doubt.
    inFlightAt: now,
    doubtAt: journey.resendUntil ? journey.doubtAt : null,
    dueAt: now,
    catchUpUntil: windowFrom(journey, now),
  };
}

/** Still to be sent, however late: the window begins anew. */
export function reopen(journey: Journey, now: Date): Journey {
  return journey.status === 'queued' ? { ...journey, catchUpUntil: windowFrom(journey, now) } : journey;
}

function windowFrom(journey: Journey, now: Date): Date {
  const window = journey.catchUpUntil.getTime() - journey.dueAt.getTime();
  return new Date(now.getTime() + Math.max(window, LEAST_WINDOW_MS));
}

export const GIVEN_UP: Why = {
  reason: GIVEN_UP_REASON,
  detail: 'Nobody could tell whether this message arrived, and it was decided not to send it again.',
};

/** Who asks for a message to be sent again has it in mind now: it may wait a while for its channel. */
const LEAST_WINDOW_MS = 15 * 60_000;

/** Nothing is tried for longer than this; the pauses in between grow with the time gone by. */
const TRIED_MS = 86_400_000;
const LONGEST_PAUSE_MS = 10 * 60_000;

/**
 * Back to the outbox for later. The catch-up window moves along: pacing never makes a message missed. What cannot
 * be sent however often it is tried fails after a day.
 */
function defer(journey: Journey, until: Date, now: Date): Journey {
  if (journey.status !== 'in_flight') return journey;
  const tried = now.getTime() - (journey.inFlightAt ?? now).getTime();
  if (tried >= TRIED_MS) return advance(journey, 'failed', now, NOT_SENT);
  const pause = Math.min(tried / 4, LONGEST_PAUSE_MS);
  const dueAt = new Date(Math.max(until.getTime(), now.getTime() + pause));
  const window = journey.catchUpUntil.getTime() - journey.dueAt.getTime();
  return {
    ...journey,
    status: 'queued',
    dueAt,
    catchUpUntil: new Date(dueAt.getTime() + window),
  };
}

/** How many recipients a batch of receipts is the first to tell of. Who has read has also received. */
export type NewReceipts = { delivered: number; read: number; at: Date };

/**
 * Counts receipts; `delivered` and `read` are reached when all recipients have got there. A single
 * receipt proves that the message was sent, whatever we knew before.
 */
export function applyReceipts(journey: Journey, receipts: NewReceipts): Journey {
  if (receipts.delivered + receipts.read === 0) return journey;
  const counted: Journey = {
    ...journey,
    deliveredCount: journey.deliveredCount + receipts.delivered,
    readCount: journey.readCount + receipts.read,
  };
  return countUp(advance(counted, 'sent', receipts.at), receipts.at);
}

function countUp(journey: Journey, at: Date): Journey {
  const all = journey.recipients ?? 0;
  let next = journey;
  if (all > 0 && next.deliveredCount >= all) next = advance(next, 'delivered', at);
  if (all > 0 && next.readCount >= all) next = advance(next, 'read', at);
  return next;
}

function isForward(status: DeliveryStatus): boolean {
  return STEP_AT[status as keyof typeof STEP_AT] !== 'endedAt';
}
