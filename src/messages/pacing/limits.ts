import type { PacingAdvice } from '../../channels/index.ts';

/** How fast a paced channel may send; what is not changed by people is as its adapter advises. */
export type Limits = PacingAdvice;

/** What people may change, and how far: further is not safe on any number. Reasons in docs/PACING.md. */
export const BOUNDS = {
  messages_per_minute: { least: 1, most: 30 },
  groups_per_minute: { least: 1, most: 20 },
  new_people_per_day: { least: 0, most: 200 },
  warm_up_days: { least: 0, most: 60 },
} as const;

export type Setting = keyof typeof BOUNDS;
/** Null = as the adapter advises. */
export type Settings = Record<Setting, number | null>;

export function limitsOf(advice: PacingAdvice, settings: Partial<Settings>): Limits {
  return {
    ...advice,
    messagesPerMinute: settings.messages_per_minute ?? advice.messagesPerMinute,
    groupsPerMinute: settings.groups_per_minute ?? advice.groupsPerMinute,
    newPeoplePerDay: settings.new_people_per_day ?? advice.newPeoplePerDay,
    warmUpDays: settings.warm_up_days ?? advice.warmUpDays,
  };
}

const DAY_MS = 86_400_000;

/** How many new people a channel may write to within a day, so long after it was paired: in even steps up to the limit. */
export function newPeopleAt(limits: Limits, warmSince: number, now: number): number {
  const day = Math.max(0, Math.floor((now - warmSince) / DAY_MS));
  if (day >= limits.warmUpDays) return limits.newPeoplePerDay;
  const share = (day + 1) / (limits.warmUpDays + 1);
  const least = Math.min(limits.warmUpFrom, limits.newPeoplePerDay);
  return Math.max(least, Math.floor(limits.newPeoplePerDay * share));
}
