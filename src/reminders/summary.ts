import type { ParsedSchedule } from './recurrence.ts';
import type { RuleParts, Weekday, WeekdayPart } from './rule.ts';

const dayNames: Record<Weekday, string> = {
  MO: 'Monday',
  TU: 'Tuesday',
  WE: 'Wednesday',
  TH: 'Thursday',
  FR: 'Friday',
  SA: 'Saturday',
  SU: 'Sunday',
};
const weekOrder: Weekday[] = ['MO', 'TU', 'WE', 'TH', 'FR', 'SA', 'SU'];
const monthNames =
  'January February March April May June July August September October November December'.split(' ');
const ordinalNames = ['', 'first', 'second', 'third', 'fourth', 'fifth'];
const units = {
  YEARLY: 'year',
  MONTHLY: 'month',
  WEEKLY: 'week',
  DAILY: 'day',
  HOURLY: 'hour',
  MINUTELY: 'minute',
};
const MOST_TIMES_NAMED = 6;

/**
 * One plain English sentence without a full stop. `locale` picks the habits of dates and times (`en-US`:
 * "March 1, 2027", "8:00 AM"); a language that we have no words for reads as `en`.
 */
export function describeSchedule(schedule: ParsedSchedule, locale = 'en'): string {
  const { parts } = schedule;
  const start = new Date(schedule.start);
  const american = locale === 'en-US';
  if (!parts) return `Once on ${weekdayOf(start)} ${fullDate(start, american)} at ${clock(start, american)}`;
  const known = commonForm(parts, start, american);
  const times = timesOfDay(parts, start, american);
  const sentence =
    elapsedForm(parts, start, american) ??
    (known && times ? `${known} at ${times}` : genericForm(parts, start, american));
  return sentence + ending(parts, american);
}

/** "Every 6 hours" counts on from its start, so the sentence names it. */
function elapsedForm(parts: RuleParts, start: Date, american: boolean): string | null {
  if (parts.frequency !== 'HOURLY' && parts.frequency !== 'MINUTELY') return null;
  if (namedParts(parts, american).length > 0) return null;
  return `${every(parts)}, from ${fullDate(start, american)} at ${clock(start, american)}`;
}

function commonForm(parts: RuleParts, start: Date, american: boolean): string | null {
  if (parts.byYearDay.length > 0) return null;
  switch (parts.frequency) {
    case 'DAILY':
      return dailyForm(parts);
    case 'WEEKLY':
      return weeklyForm(parts, start);
    case 'MONTHLY':
      return monthlyForm(parts, start);
    case 'YEARLY':
      return yearlyForm(parts, start, american);
    default:
      return null;
  }
}

function dailyForm(parts: RuleParts): string | null {
  if (parts.byMonthDay.length > 0 || parts.bySetPos.length > 0) return null;
  if (parts.byDay.length === 0) return every(parts) + inMonths(parts);
  return parts.interval === 1 ? everyWeekdayOf(parts.byDay) + inMonths(parts) : null;
}

function weeklyForm(parts: RuleParts, start: Date): string {
  const days = parts.byDay.length > 0 ? parts.byDay : [{ weekday: weekdayCode(start), ordinal: null }];
  if (parts.interval === 1) return everyWeekdayOf(days) + inMonths(parts);
  return `${every(parts)} on ${isWorkweek(days) ? 'weekdays' : joined(sortedDays(days))}${inMonths(parts)}`;
}

function everyWeekdayOf(days: WeekdayPart[]): string {
  if (days.length === 7) return 'Every day';
  return isWorkweek(days) ? 'Every weekday' : `Every ${joined(sortedDays(days))}`;
}

function monthlyForm(parts: RuleParts, start: Date): string | null {
  const day = dayOfMonth(parts, start);
  if (!day) return null;
  return `${parts.interval === 1 ? 'Monthly' : every(parts)} on ${day}${inMonths(parts)}`;
}

function yearlyForm(parts: RuleParts, start: Date, american: boolean): string | null {
  if (parts.byMonth.length === 0 && (parts.byDay.length > 0 || parts.byMonthDay.length > 0)) return null;
  const months = parts.byMonth.length > 0 ? parts.byMonth : [start.getUTCMonth() + 1];
  const [month] = months;
  const [day] = parts.byMonthDay.length > 0 ? parts.byMonthDay : [start.getUTCDate()];
  const oneDate =
    months.length === 1 && parts.byMonthDay.length <= 1 && !parts.byDay.length && !parts.bySetPos.length;
  if (oneDate && month !== undefined && day !== undefined && day > 0) {
    return `${every(parts)} on ${dayAndMonth(day, month, american)}`;
  }
  // With several months, BYSETPOS chooses in the whole year and not in each month.
  if (parts.bySetPos.length > 0 && months.length > 1) return null;
  const dayName = dayOfMonth(parts, start);
  return dayName && `${every(parts)} on ${dayName} of ${joined(months.map(monthName))}`;
}

/** "the 15th", "the third Tuesday", "the last workday"; null when there is no short name. */
function dayOfMonth(parts: RuleParts, start: Date): string | null {
  const { byDay, byMonthDay, bySetPos } = parts;
  if (byDay.length > 0 && byMonthDay.length > 0) return null;
  if (bySetPos.length > 0) return chosenDay(parts);
  if (byDay.length > 0) {
    if (byDay.some(day => day.ordinal === null)) return null;
    return joined(byDay.map(day => `the ${ordinal(day.ordinal ?? 0)} ${dayNames[day.weekday]}`));
  }
  const days = byMonthDay.length > 0 ? byMonthDay : [start.getUTCDate()];
  const inReadingOrder = [...days.filter(day => day > 0), ...days.filter(day => day < 0)];
  return joined(inReadingOrder.map(day => (day > 0 ? `the ${day}${suffix(day)}` : `the ${dayFromEnd(day)}`)));
}

function chosenDay({ byDay, byMonthDay, bySetPos, byHour, byMinute, bySecond }: RuleParts): string | null {
  const [position, ...others] = bySetPos;
  const severalTimes = [byHour, byMinute, bySecond].some(list => list.length > 1);
  if (position === undefined || others.length > 0 || severalTimes) return null;
  if (byMonthDay.join() === '28,29,30,31' && position === -1) return 'the 31st or the last day';
  if (byMonthDay.length > 0 || byDay.some(day => day.ordinal !== null) || Math.abs(position) > 5) return null;
  const [only] = byDay;
  if (isWorkweek(byDay)) return `the ${ordinal(position)} workday`;
  if (byDay.length === 7) return `the ${ordinal(position)} day`;
  return only && byDay.length === 1 ? `the ${ordinal(position)} ${dayNames[only.weekday]}` : null;
}

/** Correct for every rule: the interval, and then each part by its name. */
function genericForm(parts: RuleParts, start: Date, american: boolean): string {
  const times = timesOfDay(parts, start, american);
  const named = namedParts(parts, american, times === null);
  const base = `${every(parts)}${times ? ` at ${times}` : ''}`;
  return named.length > 0 ? `${base}, only on: ${named.join('; ')}` : base;
}

function namedParts(parts: RuleParts, american: boolean, withTimes = true): string[] {
  const days = parts.byDay.map(({ weekday, ordinal: nth }) =>
    nth === null ? dayNames[weekday] : `${ordinal(nth)} ${dayNames[weekday]}`,
  );
  const named: [string, (string | number)[]][] = [
    ['months', parts.byMonth.map(monthName)],
    ['days of the year', parts.byYearDay.map(fromEither)],
    ['days of the month', parts.byMonthDay.map(fromEither)],
    ['weekdays', days],
    ['hours', withTimes ? parts.byHour.map(hour => hourName(hour, american)) : []],
    ['minutes', withTimes ? parts.byMinute : []],
    ['seconds', withTimes ? parts.bySecond : []],
    ['positions among these', parts.bySetPos.map(fromEither)],
  ];
  return named.filter(([, values]) => values.length > 0).map(([name, values]) => `${name} ${joined(values)}`);
}

/** "08:00 and 18:00"; null when the times are too many to name or the rule runs within the day. */
function timesOfDay(parts: RuleParts, start: Date, american: boolean): string | null {
  if (parts.frequency === 'HOURLY' || parts.frequency === 'MINUTELY') return null;
  const hours = parts.byHour.length > 0 ? parts.byHour : [start.getUTCHours()];
  const minutes = parts.byMinute.length > 0 ? parts.byMinute : [start.getUTCMinutes()];
  const seconds = parts.bySecond.length > 0 ? parts.bySecond : [start.getUTCSeconds()];
  if (hours.length * minutes.length * seconds.length > MOST_TIMES_NAMED) return null;
  const times = hours.flatMap(hour =>
    minutes.flatMap(minute =>
      seconds.map(second => clock(new Date(Date.UTC(2000, 0, 1, hour, minute, second)), american)),
    ),
  );
  return joined(times);
}

function ending(parts: RuleParts, american: boolean): string {
  if (parts.until) return `, until ${fullDate(new Date(parts.until.wall), american)}`;
  if (parts.count === null) return '';
  return parts.count === 1 ? ', for 1 time' : `, for ${parts.count} times`;
}

function every({ interval, frequency }: RuleParts): string {
  return interval === 1 ? `Every ${units[frequency]}` : `Every ${interval} ${units[frequency]}s`;
}

function inMonths({ byMonth }: RuleParts): string {
  return byMonth.length > 0 ? ` in ${joined(byMonth.map(monthName))}` : '';
}

function sortedDays(days: WeekdayPart[]): string[] {
  return weekOrder.filter(code => days.some(day => day.weekday === code)).map(code => dayNames[code]);
}

function isWorkweek(days: WeekdayPart[]): boolean {
  const codes = new Set(days.map(day => day.weekday));
  return codes.size === 5 && !codes.has('SA') && !codes.has('SU') && days.every(day => day.ordinal === null);
}

function ordinal(position: number): string {
  const name = (size: number) => ordinalNames[size] ?? `${size}${suffix(size)}`;
  if (position > 0) return name(position);
  return position === -1 ? 'last' : `${name(-position)} to last`;
}

function dayFromEnd(day: number): string {
  return `${ordinal(day)} day`;
}

function fromEither(position: number): string {
  return position > 0 ? `${position}` : `${-position} from the end`;
}

function suffix(number: number): string {
  if (number % 100 >= 11 && number % 100 <= 13) return 'th';
  return ['th', 'st', 'nd', 'rd'][number % 10] ?? 'th';
}

function monthName(month: number): string {
  return monthNames[month - 1] ?? '';
}

function weekdayCode(date: Date): Weekday {
  return weekOrder[(date.getUTCDay() + 6) % 7] ?? 'MO';
}

function weekdayOf(date: Date): string {
  return dayNames[weekdayCode(date)];
}

function dayAndMonth(day: number, month: number, american: boolean): string {
  return american ? `${monthName(month)} ${day}` : `${day} ${monthName(month)}`;
}

function fullDate(date: Date, american: boolean): string {
  const day = dayAndMonth(date.getUTCDate(), date.getUTCMonth() + 1, american);
  return `${day}${american ? ',' : ''} ${date.getUTCFullYear()}`;
}

function clock(date: Date, american: boolean): string {
  const shown = date.getUTCSeconds() === 0 ? 16 : 19;
  const time = date.toISOString().slice(11, shown);
  if (!american) return time;
  const hour = date.getUTCHours();
  return `${hour % 12 || 12}${time.slice(2)} ${hour < 12 ? 'AM' : 'PM'}`;
}

function hourName(hour: number, american: boolean): string {
  return american ? `${hour % 12 || 12} ${hour < 12 ? 'AM' : 'PM'}` : `${hour}`;
}

function joined(values: (string | number)[]): string {
  if (values.length < 2) return values.join('');
  return `${values.slice(0, -1).join(', ')} and ${values.at(-1)}`;
}
