import type { Pacing, PacingChange, Setting } from './api.ts';

export const settings: [setting: Setting, label: string, about: string][] = [
  [
    'messages_per_minute',
    'Messages a minute',
    'On average. The gaps vary, and a few may go at once after a pause.',
  ],
  ['groups_per_minute', 'Of these, to groups', 'One message to a group reaches many people.'],
  [
    'new_people_per_day',
    'New people a day',
    'Who has never written to this number, nor was written to by it.',
  ],
  [
    'warm_up_days',
    'Warm-up in days',
    'So long after pairing the limit of new people grows. 0 means no warm-up.',
  ],
];

export type Typed = Record<Setting, number | string>;

/** What is wrong with each field, with the remedy. */
export function faultsOf(typed: Typed, bounds: Pacing['bounds']): Partial<Record<Setting, string>> {
  return Object.fromEntries(
    settings.flatMap(([setting]) => {
      const { least, most } = bounds[setting];
      const value = typed[setting];
      const fits = typeof value === 'number' && Number.isInteger(value) && value >= least && value <= most;
      return fits ? [] : [[setting, `Choose a whole number from ${least} to ${most}.`]];
    }),
  );
}

/** Only what differs from what holds; what is as advised again follows the advice from then on. */
export function changeOf(typed: Typed, { settings: before, advised }: Pacing): PacingChange {
  return Object.fromEntries(
    settings.flatMap(([setting]) => {
      const value = Number(typed[setting]);
      if (value === before[setting]) return [];
      return [[setting, value === advised[setting] ? null : value]];
    }),
  );
}

/** While the number is young it may write to fewer new people than its limit says. */
export function isYoung({ today, settings: { new_people_per_day: limit } }: Pacing): boolean {
  return today.new_people_limit < limit;
}
