import { Temporal } from 'temporal-polyfill';

/** A wall clock read as if it were UTC, in milliseconds: sorts and compares without a zone. */
export type WallTime = number;

const EARLIEST_YEAR = 1900;
const LATEST_YEAR = 2199;
const EXAMPLE_LOCAL = '2026-11-24T08:00';

export type WallClockFault = { code: string; detail: string };

/** Reads `YYYY-MM-DDTHH:MM[:SS]`; a date or time that no calendar has is a fault. */
export function readWallClock(
  text: string,
): { ok: true; wall: WallTime } | { ok: false; fault: WallClockFault } {
  const found = /^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d)(?::(\d\d))?$/.exec(text);
  if (!found) return { ok: false, fault: shapeFault(text) };
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = found
    .slice(1)
    .map(digits => Number(digits ?? 0));
  const wall = wallFromFields(year, month, day, hour, minute, second);
  if (wall === null) {
    return {
      ok: false,
      fault: {
        code: 'no_such_date',
        detail: `${text} is not a date and time of the calendar. Correct the day or the time.`,
      },
    };
  }
  if (year < EARLIEST_YEAR || year > LATEST_YEAR) {
    return {
      ok: false,
      fault: { code: 'out_of_range', detail: `Choose a year from ${EARLIEST_YEAR} to ${LATEST_YEAR}.` },
    };
  }
  return { ok: true, wall };
}

/** Null when the fields do not name a real date and time (30 February, 24:00, second 60). */
export function wallFromFields(
  year: number,
  month: number,
  day: number,
  hour: number,
  minute: number,
  second: number,
): WallTime | null {
  try {
    return Temporal.PlainDateTime.from(
      { year, month, day, hour, minute, second },
      { overflow: 'reject' },
    ).toZonedDateTime('UTC').epochMilliseconds;
  } catch {
    return null;
  }
}

/** Always with seconds, so that one wall clock has one spelling. */
export function formatWall(wall: WallTime): string {
  return new Date(wall).toISOString().slice(0, 19);
}

/** The wall clock that people in the zone see at an instant (epoch milliseconds). */
export function wallAt(instant: number, timeZone: string): WallTime {
  const zoned = Temporal.Instant.fromEpochMilliseconds(instant).toZonedDateTimeISO(timeZone);
  return instant + zoned.offsetNanoseconds / 1e6;
}

/**
 * The instant of a wall clock, by RFC 5545 section 3.3.5: a time inside a gap moves forward by the
 * length of the gap, a time that comes twice means its first pass.
 */
export function resolveWall(wall: WallTime, timeZone: string): { instant: number; shifted: boolean } {
  const zoned = Temporal.PlainDateTime.from(formatWall(wall)).toZonedDateTime(timeZone, {
    disambiguation: 'compatible',
  });
  const instant = zoned.epochMilliseconds;
  return { instant, shifted: instant + zoned.offsetNanoseconds / 1e6 !== wall };
}

/** The zone in its usual spelling; offsets and abbreviations are faults, because they know no summer time. */
export function readTimeZone(
  text: string,
): { ok: true; timeZone: string } | { ok: false; fault: WallClockFault } {
  const name = text.trim();
  if (/^(?:UTC|GMT)?[+-]|^Z$/i.test(name)) {
    return {
      ok: false,
      fault: {
        code: 'offset_not_zone',
        detail: `"${shorten(name)}" is an offset. Give the zone by its name, such as Europe/Berlin, so that summer time is followed.`,
      },
    };
  }
  try {
    return {
      ok: true,
      timeZone: Temporal.Instant.fromEpochMilliseconds(0).toZonedDateTimeISO(name).timeZoneId,
    };
  } catch {
    return { ok: false, fault: unknownZone(name) };
  }
}

function unknownZone(name: string): WallClockFault {
  const ending = `/${name.toLowerCase().replaceAll(' ', '_')}`;
  const near = Intl.supportedValuesOf('timeZone').find(zone => zone.toLowerCase().endsWith(ending));
  const remedy = near
    ? `Did you mean ${near}?`
    : 'Use a name of the IANA list, such as Europe/Berlin or America/New_York.';
  return { code: 'unknown_zone', detail: `"${shorten(name)}" is not a known time zone. ${remedy}` };
}

function shapeFault(text: string): WallClockFault {
  if (/\d(?:Z|[+-]\d\d:?\d\d)(?:\[[^[\]]*\])?$|\[[^[\]]*\]$/i.test(text) && text.includes('T')) {
    return {
      code: 'has_offset',
      detail: `Give the wall clock alone, such as ${EXAMPLE_LOCAL}, without Z or an offset; the zone goes into time_zone.`,
    };
  }
  return {
    code: 'bad_local_time',
    detail: `"${shorten(text)}" is not a date with time. Write it as YYYY-MM-DDTHH:MM, such as ${EXAMPLE_LOCAL}.`,
  };
}

function shorten(text: string): string {
  return text.length > 60 ? `${text.slice(0, 60)}…` : text;
}
