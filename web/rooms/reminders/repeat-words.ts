import { readerForms } from '../../kit/reader.ts';
import { dateParts, type PresetId, type Weekday, weekdays } from './repeat.ts';

export type Choice = { value: PresetId | 'once' | 'custom' | 'kept'; label: string };

/** The usual ways to repeat, each named from the start date. */
export function choicesFor(date: string, kept: boolean): Choice[] {
  const { day, month, weekday, ordinal } = dateParts(date);
  const dayName = weekdayName(weekday);
  const of31 = day > 28 ? ', in months that have it' : '';
  const leap = day === 29 && month === 2 ? ', in leap years' : '';
  return [
    { value: 'once', label: 'Once' },
    { value: 'daily', label: 'Every day' },
    { value: 'weekdays', label: 'Every weekday, Monday to Friday' },
    { value: 'weekly', label: `Every week on ${dayName}` },
    { value: 'monthly_weekday', label: `Every month on the ${ordinals[ordinal] ?? 'last'} ${dayName}` },
    { value: 'monthly_day', label: `Every month on the ${dayOfMonth(day)}${of31}` },
    { value: 'month_end', label: 'Every month on its last day' },
    { value: 'yearly', label: `Every year on ${monthDay(date)}${leap}` },
    { value: 'custom', label: 'In another rhythm…' },
    ...(kept ? [{ value: 'kept' as const, label: 'By its own rule, as it is' }] : []),
  ];
}

export function weekdayName(weekday: Weekday, length: 'long' | 'short' = 'long'): string {
  // 5 January 2026 is a Monday.
  const at = Date.UTC(2026, 0, 5 + weekdays.indexOf(weekday));
  return new Intl.DateTimeFormat(readerForms().words, { weekday: length, timeZone: 'UTC' }).format(at);
}

/** "third", "last": the place of the start date's weekday in its month. */
export function ordinalWord(date: string): string {
  return ordinals[dateParts(date).ordinal] ?? 'last';
}

/** "24th" */
export function dayOfMonth(day: number): string {
  const ending = { one: 'st', two: 'nd', few: 'rd', other: 'th', zero: 'th', many: 'th' };
  return `${day}${ending[new Intl.PluralRules('en', { type: 'ordinal' }).select(day)]}`;
}

const ordinals: Record<number, string> = { 1: 'first', 2: 'second', 3: 'third', 4: 'fourth', [-1]: 'last' };

function monthDay(date: string): string {
  const at = Date.parse(`${date}T00:00:00Z`);
  return new Intl.DateTimeFormat(readerForms().words, {
    day: 'numeric',
    month: 'long',
    timeZone: 'UTC',
  }).format(at);
}
