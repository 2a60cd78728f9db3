import type { Frequency, RuleFault, RuleParts } from './rule.ts';
import type { WallTime } from './wall-clock.ts';

/** One in each quarter of an hour. */
const MOST_TIMES_A_DAY = 96;

/** A hundred years in the unit of each frequency. */
const maxInterval: Record<Frequency, number> = {
  YEARLY: 100,
  MONTHLY: 1200,
  WEEKLY: 5200,
  DAILY: 36_500,
  HOURLY: 876_000,
  MINUTELY: 52_560_000,
};

/** What is wrong with parts that are each well formed, by RFC 5545 section 3.3.10 and our own limits. */
export function findClash(parts: RuleParts): RuleFault | null {
  const { frequency, byDay } = parts;
  if (parts.interval > maxInterval[frequency]) {
    return {
      code: 'bad_interval',
      detail: `INTERVAL may be at most ${maxInterval[frequency]} with FREQ=${frequency}.`,
    };
  }
  if (parts.count !== null && parts.until) {
    return { code: 'count_and_until', detail: 'A rule ends either by COUNT or by UNTIL. Keep one of them.' };
  }
  const timesADay = [parts.byHour, parts.byMinute, parts.bySecond].reduce(
    (n, list) => n * Math.max(1, list.length),
    1,
  );
  if (timesADay > MOST_TIMES_A_DAY) {
    return {
      code: 'too_frequent',
      detail: 'A reminder may come every 15 minutes at most. List fewer hours, minutes or seconds.',
    };
  }
  const counted = byDay.some(day => day.ordinal !== null);
  if (counted && frequency !== 'MONTHLY' && frequency !== 'YEARLY') {
    return {
      code: 'counted_day',
      detail: 'Counted days such as 3TU need FREQ=MONTHLY or FREQ=YEARLY. Use plain days such as TU.',
    };
  }
  if (frequency === 'MONTHLY' && byDay.some(day => Math.abs(day.ordinal ?? 1) > 5)) {
    return {
      code: 'bad_byday',
      detail: 'A month has at most five of each weekday. Use 1 to 5 or -5 to -1 before the day.',
    };
  }
  if (frequency === 'WEEKLY' && parts.byMonthDay.length > 0) {
    return {
      code: 'weekly_month_day',
      detail: 'BYMONTHDAY does not go with FREQ=WEEKLY. Use FREQ=MONTHLY, or BYDAY.',
    };
  }
  if (parts.byYearDay.length > 0 && ['DAILY', 'WEEKLY', 'MONTHLY'].includes(frequency)) {
    return { code: 'year_day', detail: `BYYEARDAY does not go with FREQ=${frequency}. Use FREQ=YEARLY.` };
  }
  return yearlyClash(parts) ?? positionClash(parts);
}

/** Sound by RFC 5545, but rrule-temporal 2.2.7 joins these parts where it should intersect them. */
function yearlyClash(parts: RuleParts): RuleFault | null {
  if (parts.frequency !== 'YEARLY') return null;
  const namesDays = parts.byMonth.length + parts.byMonthDay.length + parts.byDay.length > 0;
  if (parts.byYearDay.length > 0 && namesDays) {
    return {
      code: 'year_day',
      detail:
        'BYYEARDAY does not go with BYMONTH, BYMONTHDAY or BYDAY here. Keep either BYYEARDAY or the others.',
    };
  }
  if (parts.byMonthDay.length > 0 && parts.byDay.some(day => day.ordinal !== null)) {
    return {
      code: 'counted_day',
      detail: 'Counted days such as 3TU do not go with BYMONTHDAY in a yearly rule. Keep one of the two.',
    };
  }
  return null;
}

function positionClash(parts: RuleParts): RuleFault | null {
  if (parts.bySetPos.length === 0) return null;
  if (parts.frequency === 'WEEKLY') {
    return {
      code: 'weekly_position',
      detail:
        'BYSETPOS with FREQ=WEEKLY is not supported: calendars disagree about the first week. Name the days with BYDAY.',
    };
  }
  if (!hasByParts({ ...parts, bySetPos: [] })) {
    return {
      code: 'position_alone',
      detail: 'BYSETPOS chooses among other BY parts. Add one of them, such as BYDAY.',
    };
  }
  const largest = largestSet(parts);
  if (parts.bySetPos.every(position => Math.abs(position) > largest)) {
    return {
      code: 'no_occurrence',
      detail: `The rule never occurs: BYSETPOS asks for more than the ${largest} times that a period can have.`,
    };
  }
  return null;
}

/** An upper bound of the times in one period, by which a position can be seen to be out of reach. */
function largestSet(parts: RuleParts): number {
  const seconds = Math.max(1, parts.bySecond.length);
  const minutes = seconds * Math.max(1, parts.byMinute.length);
  const hours = minutes * Math.max(1, parts.byHour.length);
  const sizes: Record<Frequency, number> = {
    MINUTELY: seconds,
    HOURLY: minutes,
    DAILY: hours,
    WEEKLY: 7 * hours,
    MONTHLY: mostDays(parts, 1, 5) * hours,
    YEARLY:
      parts.byMonth.length > 0
        ? mostDays(parts, parts.byMonth.length, 5) * hours
        : mostDays(parts, 12, 53) * hours,
  };
  return sizes[parts.frequency];
}

function mostDays(parts: RuleParts, months: number, sameWeekdays: number): number {
  const limits = [366];
  if (parts.byMonthDay.length > 0) limits.push(parts.byMonthDay.length * months);
  if (parts.byYearDay.length > 0) limits.push(parts.byYearDay.length);
  if (parts.byDay.length > 0) {
    const perDay = parts.byDay.map(day => (day.ordinal === null ? sameWeekdays : 1));
    limits.push(perDay.reduce((sum, days) => sum + days, 0) * (sameWeekdays === 5 ? months : 1));
  }
  return limits.length > 1 ? Math.min(...limits) : months;
}

export function hasByParts(parts: RuleParts): boolean {
  return [
    parts.byMonth,
    parts.byMonthDay,
    parts.byYearDay,
    parts.byDay,
    parts.byHour,
    parts.byMinute,
    parts.bySecond,
    parts.bySetPos,
  ].some(list => list.length > 0);
}

const monthNames = [
  'January',
  'February',
  'March',
  'April',
  'May',
  'June',
  'July',
  'August',
  'September',
  'October',
  'November',
  'December',
];

/** Says so when the days of the rule exist in none of its months, such as 30 February; null otherwise. */
export function missingDates(parts: RuleParts, start: WallTime): string | null {
  const days = requiredMonthDays(parts, new Date(start).getUTCDate());
  const months = parts.byMonth.length > 0 ? parts.byMonth : monthNames.map((_, index) => index + 1);
  const exists = days.some(day => months.some(month => Math.abs(day) <= longestMonth(month)));
  if (days.length === 0 || exists) return null;
  const dates = days.map(day => (day < 0 ? `day ${day}` : `${day}`)).join(', ');
  const names = months.map(month => monthNames[month - 1]).join(', ');
  return `The rule never occurs: there is no ${dates} ${names}. Use another day, or -1 for the last day of the month.`;
}

/** Without any BY part that names days, monthly and yearly rules keep the day of the start. */
function requiredMonthDays(parts: RuleParts, startDay: number): number[] {
  if (parts.byMonthDay.length > 0) return parts.byMonthDay;
  const inherits = parts.frequency === 'MONTHLY' || parts.frequency === 'YEARLY';
  return inherits && parts.byDay.length === 0 && parts.byYearDay.length === 0 ? [startDay] : [];
}

function longestMonth(month: number): number {
  return new Date(Date.UTC(2024, month, 0)).getUTCDate();
}
