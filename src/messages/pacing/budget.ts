import type { Hold } from '../guards.ts';
import { type Limits, newPeopleAt } from './limits.ts';

/** What a channel has spent. Instants in ms; null = nothing yet. */
export type Budget = {
  warmSince: number;
  /** When the gaps behind all messages so far have passed; a burst may run ahead of it. */
  messagesAt: number | null;
  groupsAt: number | null;
  /** Since when new people are counted; a day later the count begins anew. */
  dayFrom: number | null;
  newPeople: number;
};

/** `new` = somebody who has neither written to the channel nor was written to by it. */
export type Recipient = 'group' | 'known' | 'new';

export type Answer = 'go' | { hold: Hold; until: number };

const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;
/** A gap lasts from half to one and a half of what the limit means on average. */
const JITTER = { least: 0.5, spread: 1 };

/**
 * Decides in order who may be written to now, and what is left then. `random` from 0 to below 1, drawn per message.
 * Pure: the caller writes the budget in the transaction that lets them go.
 */
export function spend(
  budget: Budget,
  limits: Limits,
  recipients: Recipient[],
  now: number,
  random: () => number,
): { budget: Budget; answers: Answer[] } {
  let left = dayOf(budget, now);
  const answers = recipients.map((recipient): Answer => {
    const held = holdOf(left, limits, recipient, now);
    if (!held) left = without(left, limits, recipient, now, random);
    return held ?? 'go';
  });
  return { budget: left, answers };
}

/** What keeps such a message back at the moment, and until when; undefined when nothing does. */
export function holdOf(
  budget: Budget,
  limits: Limits,
  recipient: Recipient,
  now: number,
): { hold: Hold; until: number } | undefined {
  const today = dayOf(budget, now);
  if (recipient === 'new' && today.newPeople >= newPeopleAt(limits, budget.warmSince, now))
    return { hold: 'new_people', until: (today.dayFrom ?? now) + DAY_MS };
  const until = Math.max(
    messagesOpenAt(budget, limits),
    recipient === 'group' ? groupsOpenAt(budget, limits) : 0,
  );
  return until > now ? { hold: 'pacing', until } : undefined;
}

/** From when on the next message may go. */
export function messagesOpenAt({ messagesAt }: Budget, { messagesPerMinute, burst }: Limits): number {
  return (messagesAt ?? 0) - (burst - 1) * (MINUTE_MS / messagesPerMinute);
}

/** How many messages may go at once now. */
export function messagesAtOnce(budget: Budget, limits: Limits, now: number): number {
  const gap = MINUTE_MS / limits.messagesPerMinute;
  const ahead = now - messagesOpenAt(budget, limits);
  return ahead < 0 ? 0 : Math.min(limits.burst, Math.floor(ahead / gap) + 1);
}

/** How many new people were written to within the running day. */
export function newPeopleToday(budget: Budget, now: number): number {
  return dayOf(budget, now).newPeople;
}

function groupsOpenAt({ groupsAt }: Budget, { groupsPerMinute, groupBurst }: Limits): number {
  return (groupsAt ?? 0) - (groupBurst - 1) * (MINUTE_MS / groupsPerMinute);
}

function without(
  budget: Budget,
  limits: Limits,
  recipient: Recipient,
  now: number,
  random: () => number,
): Budget {
  const drawn = JITTER.least + JITTER.spread * random();
  const after = (at: number | null, perMinute: number) =>
    Math.round(Math.max(at ?? now, now) + (MINUTE_MS / perMinute) * drawn);
  return {
    ...budget,
    messagesAt: after(budget.messagesAt, limits.messagesPerMinute),
    ...(recipient === 'group' ? { groupsAt: after(budget.groupsAt, limits.groupsPerMinute) } : {}),
    ...(recipient === 'new' ? { dayFrom: budget.dayFrom ?? now, newPeople: budget.newPeople + 1 } : {}),
  };
}

function dayOf(budget: Budget, now: number): Budget {
  if (budget.dayFrom === null || now < budget.dayFrom + DAY_MS) return budget;
  return { ...budget, dayFrom: null, newPeople: 0 };
}
