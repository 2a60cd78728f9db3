import { RRuleTemporal } from 'rrule-temporal';
import { Temporal } from 'temporal-polyfill';
import { type Frequency, type RuleParts, readRule } from './rule.ts';
import { hasByParts, missingDates } from './rule-clash.ts';
import { formatWall, readTimeZone, readWallClock, resolveWall, type WallTime, wallAt } from './wall-clock.ts';

export type Schedule = {
  /** Wall clock without offset, `YYYY-MM-DDTHH:MM[:SS]`. */
  start_local: string;
  /** A name of the IANA list. */
  time_zone: string;
  /** An RFC 5545 RRULE value, with or without `RRULE:`; without it the reminder comes once. */
  rrule?: string | null;
};

/** The same schedule in the one spelling to store, with its rule taken apart. */
export type ParsedSchedule = {
  readonly start_local: string;
  readonly time_zone: string;
  readonly rrule: string | null;
  readonly start: WallTime;
  readonly parts: RuleParts | null;
};

/** `detail` is a sentence for the person who typed the schedule and says the remedy. */
export type ScheduleProblem = { field: 'start_local' | 'time_zone' | 'rrule'; code: string; detail: string };

export type Occurrence = {
  /** The intended wall clock, always with seconds. */
  local: string;
  at: Date;
  /** True when that wall clock does not exist on that day and was moved forward. */
  shifted: boolean;
};

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const DAY = 24 * 60 * MINUTE;
/** Clocks have jumped by a whole day at most (Samoa 2011); one hour more to be safe. */
const LONGEST_JUMP = 25 * 60 * MINUTE;
const LEAST_DISTANCE = 15 * MINUTE;
const FIRST_WITHIN = 100 * 366 * DAY;
const LAST_WALL = Date.UTC(9999, 11, 30);
const NEVER =
  'The rule has no occurrence within 100 years: no time fits all of its parts. Remove a part or change the start.';
const MAX_PREVIEW = 1000;
/** More than a day of occurrences at the least distance. */
const SPACING_SAMPLE = 100;

/** Periods to search for one occurrence: it keeps the work of a hopeless rule under some 200 ms. */
const searchLimit: Record<Frequency, number> = {
  YEARLY: 400,
  MONTHLY: 1300,
  WEEKLY: 4000,
  DAILY: 4000,
  HOURLY: 2000,
  MINUTELY: 2000,
};

const engines = new WeakMap<RuleParts, RRuleTemporal>();

/**
 * Judges a schedule and refuses one without any occurrence, by a dry run. It does not know what time
 * it is: a start in the past is fine here.
 */
export function parseSchedule(
  input: Schedule,
): { ok: true; schedule: ParsedSchedule } | { ok: false; problem: ScheduleProblem } {
  const start = readWallClock(input.start_local);
  if (!start.ok) return { ok: false, problem: { field: 'start_local', ...start.fault } };
  const zone = readTimeZone(input.time_zone);
  if (!zone.ok) return { ok: false, problem: { field: 'time_zone', ...zone.fault } };
  const base = { start: start.wall, start_local: formatWall(start.wall), time_zone: zone.timeZone };
  if (input.rrule === undefined || input.rrule === null) {
    return { ok: true, schedule: { ...base, rrule: null, parts: null } };
  }
  const rule = readRule(input.rrule, zone.timeZone);
  if (!rule.ok) return { ok: false, problem: { field: 'rrule', ...rule.fault } };
  const schedule = { ...base, rrule: rule.text, parts: rule.parts };
  const problem = tooFrequent(schedule, rule.parts) ?? neverOccurs(schedule, rule.parts);
  return problem ? { ok: false, problem } : { ok: true, schedule };
}

/** First occurrence strictly after `after`; null when the rule has ended. */
export function nextOccurrence(schedule: ParsedSchedule, after: Date): Occurrence | null {
  for (const occurrence of occurrencesAfter(schedule, after.getTime())) return occurrence;
  return null;
}

/** The first `count` occurrences (at most 1000) at or after `from`. */
export function previewOccurrences(schedule: ParsedSchedule, from: Date, count: number): Occurrence[] {
  const wanted = Math.min(count, MAX_PREVIEW);
  const found: Occurrence[] = [];
  if (wanted < 1) return found;
  for (const occurrence of occurrencesAfter(schedule, from.getTime() - 1)) {
    found.push(occurrence);
    if (found.length >= wanted) break;
  }
  return found;
}

/** In order of their instants, each instant once. */
function* occurrencesAfter(schedule: ParsedSchedule, after: number): Generator<Occurrence> {
  const end = schedule.parts?.until?.at ?? Number.POSITIVE_INFINITY;
  for (const occurrence of allFrom(schedule, after)) {
    const at = occurrence.at.getTime();
    if (at > end) return;
    if (at > after) yield occurrence;
  }
}

function allFrom(schedule: ParsedSchedule, after: number): Iterable<Occurrence> {
  const { parts } = schedule;
  if (!parts) return [occurrenceAt(schedule.start, schedule.time_zone)];
  return isElapsed(parts) ? elapsedFrom(schedule, parts, after) : wallClockFrom(schedule, parts, after);
}

/** "Every 6 hours" counts real hours; "at 6, 12 and 18" is a wall clock. */
function isElapsed(parts: RuleParts): boolean {
  return (parts.frequency === 'HOURLY' || parts.frequency === 'MINUTELY') && !hasByParts(parts);
}

function* elapsedFrom(schedule: ParsedSchedule, parts: RuleParts, after: number): Generator<Occurrence> {
  const first = occurrenceAt(schedule.start, schedule.time_zone);
  const anchor = first.at.getTime();
  const step = elapsedStep(parts);
  const count = parts.count ?? Number.POSITIVE_INFINITY;
  for (let index = Math.max(0, Math.floor((after - anchor) / step)); index < count; index += 1) {
    const at = anchor + index * step;
    if (at > LAST_WALL) return;
    yield index === 0
      ? first
      : { local: formatWall(wallAt(at, schedule.time_zone)), at: new Date(at), shifted: false };
  }
}

function elapsedStep(parts: RuleParts): number {
  return parts.interval * (parts.frequency === 'HOURLY' ? 60 * MINUTE : MINUTE);
}

/**
 * Resolves each local time. Times moved out of a gap wait until no later local time can come before
 * them or fall on the same instant; on equal instants the time that really exists wins.
 */
function* wallClockFrom(schedule: ParsedSchedule, parts: RuleParts, after: number): Generator<Occurrence> {
  let moved: Occurrence[] = [];
  for (const wall of wallTimesAfter(schedule, parts, wallBefore(schedule, after))) {
    const occurrence = occurrenceAt(wall, schedule.time_zone);
    if (occurrence.shifted) {
      moved.push(occurrence);
      continue;
    }
    const at = occurrence.at.getTime();
    yield* moved.filter(earlier => earlier.at.getTime() < at);
    moved = moved.filter(later => later.at.getTime() > at);
    yield occurrence;
  }
  yield* moved;
}

/** The wall clock after which a local time can mean an instant after `after`: earlier by a gap just passed. */
function wallBefore(schedule: ParsedSchedule, after: number): WallTime {
  const earliest = schedule.start - 2 * LONGEST_JUMP;
  if (after <= earliest) return earliest;
  if (after >= LAST_WALL) return LAST_WALL;
  const offset = wallAt(after, schedule.time_zone) - after;
  const offsetBefore = wallAt(after - LONGEST_JUMP, schedule.time_zone) - (after - LONGEST_JUMP);
  return after + Math.min(offset, offsetBefore);
}

/** COUNT is counted here from the start, because the library would give up on a sparse counted rule. */
function* wallTimesAfter(schedule: ParsedSchedule, parts: RuleParts, after: WallTime): Generator<WallTime> {
  const engine = engineOf(parts, schedule.start);
  let left = parts.count ?? Number.POSITIVE_INFINITY;
  let cursor = parts.count === null ? after : schedule.start - 1;
  while (left > 0) {
    const wall = nextWall(engine, cursor);
    if (wall === null || wall > LAST_WALL) return;
    if (wall > after) yield wall;
    cursor = wall;
    left -= 1;
  }
}

function occurrenceAt(wall: WallTime, timeZone: string): Occurrence {
  const { instant, shifted } = resolveWall(wall, timeZone);
  return { local: formatWall(wall), at: new Date(instant), shifted };
}

function tooFrequent(schedule: ParsedSchedule, parts: RuleParts): ScheduleProblem | null {
  const problem: ScheduleProblem = {
    field: 'rrule',
    code: 'too_frequent',
    detail: 'A reminder may come every 15 minutes at most. Put more time between two occurrences.',
  };
  if (isElapsed(parts)) return elapsedStep(parts) < LEAST_DISTANCE ? problem : null;
  if (!comesSeveralTimesADay(parts)) return null;
  let previous = Number.NEGATIVE_INFINITY;
  let seen = 0;
  for (const wall of wallTimesAfter(schedule, parts, schedule.start - 1)) {
    if (wall - previous < LEAST_DISTANCE) return problem;
    previous = wall;
    seen += 1;
    if (seen >= SPACING_SAMPLE || wall > schedule.start + 366 * DAY) break;
  }
  return null;
}

function comesSeveralTimesADay(parts: RuleParts): boolean {
  const slots = [parts.byHour, parts.byMinute, parts.bySecond];
  return (
    parts.frequency === 'HOURLY' || parts.frequency === 'MINUTELY' || slots.some(list => list.length > 1)
  );
}

function neverOccurs(schedule: ParsedSchedule, parts: RuleParts): ScheduleProblem | null {
  const refuse = (code: string, detail: string): ScheduleProblem => ({ field: 'rrule', code, detail });
  const missing = missingDates(parts, schedule.start);
  if (missing) return refuse('no_occurrence', missing);
  const end = parts.until?.at ?? Number.POSITIVE_INFINITY;
  if (end < resolveWall(schedule.start, schedule.time_zone).instant) {
    return refuse('ends_before_start', 'UNTIL lies before the start. Move UNTIL later or the start earlier.');
  }
  const first = nextOccurrence(schedule, new Date(schedule.start - 2 * LONGEST_JUMP));
  if (first && first.at.getTime() - schedule.start < FIRST_WITHIN) return null;
  return parts.until
    ? refuse(
        'no_occurrence',
        'The rule has no occurrence between the start and UNTIL. Move UNTIL later, or remove a part.',
      )
    : refuse('no_occurrence', NEVER);
}

/** The library works on the wall clock as if it were UTC, so that no zone can bend the rule. */
function engineOf(parts: RuleParts, start: WallTime): RRuleTemporal {
  const known = engines.get(parts);
  if (known) return known;
  const engine = new RRuleTemporal({
    freq: parts.frequency,
    interval: parts.interval,
    dtstart: asUtc(start),
    maxIterations: searchLimit[parts.frequency],
    cache: false,
    // Looser than the true end, which is compared by instant.
    ...(parts.until ? { until: asUtc(parts.until.wall + LONGEST_JUMP) } : {}),
    ...(parts.weekStart ? { wkst: parts.weekStart } : {}),
    ...(parts.byDay.length ? { byDay: parts.byDay.map(day => `${day.ordinal ?? ''}${day.weekday}`) } : {}),
    ...(parts.byMonth.length ? { byMonth: parts.byMonth } : {}),
    ...(parts.byMonthDay.length ? { byMonthDay: parts.byMonthDay } : {}),
    ...(parts.byYearDay.length ? { byYearDay: parts.byYearDay } : {}),
    ...(parts.byHour.length ? { byHour: parts.byHour } : {}),
    ...(parts.byMinute.length ? { byMinute: parts.byMinute } : {}),
    ...(parts.bySecond.length ? { bySecond: parts.bySecond } : {}),
    ...(parts.bySetPos.length ? { bySetPos: parts.bySetPos } : {}),
  });
  engines.set(parts, engine);
  return engine;
}

function asUtc(wall: WallTime): Temporal.ZonedDateTime {
  return Temporal.Instant.fromEpochMilliseconds(wall).toZonedDateTimeISO('UTC');
}

/** The library throws after a long search without a find, or at the end of its calendar: to us, "no more". */
function nextWall(engine: RRuleTemporal, after: WallTime): WallTime | null {
  try {
    return engine.next(new Date(after))?.epochMilliseconds ?? null;
  } catch (error) {
    const exhausted = error instanceof Error && error.message.startsWith('Maximum iterations');
    if (exhausted || error instanceof RangeError) return null;
    throw error;
  }
}
