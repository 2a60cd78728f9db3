import type { Occurrence } from './recurrence.ts';

export type ReminderStatus = 'active' | 'paused' | 'ended' | 'deleted';

/** Occurrences become deliveries this much ahead of their instant, so that the instant itself is one commit away. */
export const EXPAND_AHEAD_MS = 60_000;

export const DEFAULT_CATCH_UP_MS = 15 * 60_000;

/** What to do with an occurrence whose turn has come. */
export function decide(input: {
  status: ReminderStatus;
  dueAt: Date;
  catchUpMs: number;
  now: Date;
}): 'expand' | 'miss' | 'drop' {
  if (input.status !== 'active') return 'drop';
  return input.now.getTime() > input.dueAt.getTime() + input.catchUpMs ? 'miss' : 'expand';
}

/** What a person may do in which state; anything else is answered with 409. */
const allowed: Record<'pause' | 'resume' | 'change' | 'remove', readonly ReminderStatus[]> = {
  pause: ['active', 'paused'],
  resume: ['paused', 'active'],
  change: ['active', 'paused', 'ended'],
  remove: ['active', 'paused', 'ended'],
};

export function mayDo(action: keyof typeof allowed, status: ReminderStatus): boolean {
  return allowed[action].includes(status);
}

/** Missed occurrences that are written down one by one; of an outage longer than that only the last ones. */
const MISSED_ROWS = 500;

/**
 * The plan after an outage: everything that is past its catch-up window is missed, at most one
 * occurrence comes next. Never a burst.
 */
export function advance(input: {
  next: (after: Date) => Occurrence | null;
  after: Date;
  endsAt: Date | null;
  catchUpMs: number;
  now: Date;
}): { missed: Occurrence[]; next: Occurrence | null } {
  const missed: Occurrence[] = [];
  let candidate = input.next(input.after);
  while (candidate !== null && !isOver(candidate, input.endsAt)) {
    if (candidate.at.getTime() + input.catchUpMs >= input.now.getTime()) return { missed, next: candidate };
    missed.push(candidate);
    if (missed.length > MISSED_ROWS) missed.shift();
    candidate = input.next(candidate.at);
  }
  return { missed, next: null };
}

function isOver(occurrence: Occurrence, endsAt: Date | null): boolean {
  return endsAt !== null && occurrence.at.getTime() > endsAt.getTime();
}
