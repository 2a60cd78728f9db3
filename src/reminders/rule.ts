import { findClash } from './rule-clash.ts';
import { resolveWall, type WallTime, wallAt, wallFromFields } from './wall-clock.ts';

export const weekdays = ['MO', 'TU', 'WE', 'TH', 'FR', 'SA', 'SU'] as const;
export type Weekday = (typeof weekdays)[number];
/** `ordinal` 3 = the third, -1 = the last of the month or year; null = every such day. */
export type WeekdayPart = { weekday: Weekday; ordinal: number | null };

const frequencies = ['YEARLY', 'MONTHLY', 'WEEKLY', 'DAILY', 'HOURLY', 'MINUTELY'] as const;
export type Frequency = (typeof frequencies)[number];

/** `at` is inclusive, in epoch milliseconds; `wall` is the same moment on the schedule's own clock. */
export type RuleEnd = { at: number; wall: WallTime };

export type RuleParts = {
  frequency: Frequency;
  interval: number;
  count: number | null;
  until: RuleEnd | null;
  byMonth: number[];
  byMonthDay: number[];
  byYearDay: number[];
  byDay: WeekdayPart[];
  byHour: number[];
  byMinute: number[];
  bySecond: number[];
  bySetPos: number[];
  weekStart: Weekday | null;
};

export type RuleFault = { code: string; detail: string };
type Reading<T> = { ok: true; value: T } | { ok: false; fault: RuleFault };

const MAX_COUNT = 500;
const MAX_RULE_LENGTH = 1000;
const EXAMPLE = 'FREQ=WEEKLY;BYDAY=MO';

const elsewhere: Record<string, string> = {
  DTSTART: 'The start goes into start_local.',
  TZID: 'The zone goes into time_zone.',
  DTEND: 'A reminder has no end time of its own; leave it out.',
  EXDATE: 'Left-out dates are not part of a rule; leave them out.',
  RDATE: 'Extra dates are not part of a rule; make a second reminder for them.',
  EXRULE: 'Rules of exception are not supported; leave them out.',
};

type NumberList = 'byMonth' | 'byMonthDay' | 'byYearDay' | 'byHour' | 'byMinute' | 'bySecond' | 'bySetPos';
const numberLists: Record<string, { key: NumberList; min: number; max: number; fromEnd: boolean }> = {
  BYMONTH: { key: 'byMonth', min: 1, max: 12, fromEnd: false },
  BYMONTHDAY: { key: 'byMonthDay', min: 1, max: 31, fromEnd: true },
  BYYEARDAY: { key: 'byYearDay', min: 1, max: 366, fromEnd: true },
  BYHOUR: { key: 'byHour', min: 0, max: 23, fromEnd: false },
  BYMINUTE: { key: 'byMinute', min: 0, max: 59, fromEnd: false },
  BYSECOND: { key: 'bySecond', min: 0, max: 59, fromEnd: false },
  BYSETPOS: { key: 'bySetPos', min: 1, max: 366, fromEnd: true },
};

/** Reads an RFC 5545 RRULE value and judges its parts alone and together; `text` is the spelling to store. */
export function readRule(
  input: string,
  timeZone: string,
): { ok: true; text: string; parts: RuleParts } | { ok: false; fault: RuleFault } {
  const split = splitRule(input);
  if (!split.ok) return split;
  const parts = emptyParts();
  let sawFrequency = false;
  for (const [name, value] of split.value) {
    const fault = readPart(parts, name, value, timeZone);
    if (fault) return { ok: false, fault };
    sawFrequency ||= name === 'FREQ';
  }
  if (!sawFrequency) {
    return refuse('no_frequency', `The rule must say how often, such as FREQ=WEEKLY in ${EXAMPLE}.`);
  }
  const clash = findClash(parts);
  if (clash) return { ok: false, fault: clash };
  return { ok: true, text: [...split.value].map(pair => pair.join('=')).join(';'), parts };
}

function splitRule(input: string): Reading<Map<string, string>> {
  const text = input
    .trim()
    .toUpperCase()
    .replace(/^RRULE:/, '')
    .replace(/;$/, '');
  if (text === '') {
    return refuse(
      'empty_rule',
      `The rule is empty. Leave rrule out for a single reminder, or write ${EXAMPLE}.`,
    );
  }
  if (text.length > MAX_RULE_LENGTH) {
    return refuse('rule_too_long', `The rule is longer than ${MAX_RULE_LENGTH} characters. Shorten it.`);
  }
  const foreign = /\b(DTSTART|TZID|DTEND|EXDATE|RDATE|EXRULE)\b/.exec(text)?.[1];
  if (foreign) {
    return refuse(
      'foreign_property',
      `${foreign} does not belong in rrule. ${elsewhere[foreign] ?? ''}`.trim(),
    );
  }
  if (/\s/.test(text)) {
    return refuse(
      'extra_text',
      `Give the rule alone, without spaces, line breaks or other text, such as ${EXAMPLE}.`,
    );
  }
  const pairs = new Map<string, string>();
  for (const piece of text.split(';')) {
    const [name = '', value = '', ...rest] = piece.split('=');
    if (name === '' || value === '' || rest.length > 0) {
      return refuse('bad_part', `"${piece.slice(0, 60)}" is not NAME=VALUE. Write parts such as ${EXAMPLE}.`);
    }
    if (pairs.has(name)) return refuse('part_twice', `${name.slice(0, 60)} stands twice. Keep one of them.`);
    pairs.set(name, value);
  }
  return { ok: true, value: pairs };
}

function readPart(parts: RuleParts, name: string, value: string, timeZone: string): RuleFault | null {
  const list = numberLists[name];
  if (list) {
    const numbers = readNumbers(name, value, list);
    if (!numbers.ok) return numbers.fault;
    parts[list.key] = numbers.value;
    return null;
  }
  switch (name) {
    case 'FREQ':
      return readFrequency(parts, value);
    case 'INTERVAL':
      return readInterval(parts, value);
    case 'COUNT':
      return readCount(parts, value);
    case 'UNTIL':
      return readUntil(parts, value, timeZone);
    case 'BYDAY':
      return readWeekdays(parts, value);
    case 'WKST':
      return readWeekStart(parts, value);
    case 'BYWEEKNO':
      return {
        code: 'week_numbers',
        detail:
          'BYWEEKNO is not supported: calendars disagree about week numbers. Use BYMONTH with BYDAY, or BYYEARDAY.',
      };
    default:
      return {
        code: 'unknown_part',
        detail: `${name.slice(0, 60)} is not a supported part of a rule. Remove it.`,
      };
  }
}

function readFrequency(parts: RuleParts, value: string): RuleFault | null {
  const frequency = frequencies.find(known => known === value);
  if (frequency) {
    parts.frequency = frequency;
    return null;
  }
  if (value === 'SECONDLY') {
    return {
      code: 'too_frequent',
      detail: 'A reminder may come every 15 minutes at most. Use MINUTELY with INTERVAL=15 or more.',
    };
  }
  return {
    code: 'unknown_frequency',
    detail: `FREQ=${value.slice(0, 60)} is not known. Use one of ${frequencies.join(', ')}.`,
  };
}

function readInterval(parts: RuleParts, value: string): RuleFault | null {
  const interval = wholeNumber(value);
  if (interval === null || interval < 1) {
    return { code: 'bad_interval', detail: 'INTERVAL must be a whole number of 1 or more.' };
  }
  parts.interval = interval;
  return null;
}

function readCount(parts: RuleParts, value: string): RuleFault | null {
  const count = wholeNumber(value);
  if (count === null || count < 1 || count > MAX_COUNT) {
    return {
      code: 'bad_count',
      detail: `COUNT must be a whole number from 1 to ${MAX_COUNT}. For more, leave COUNT out or end the rule by UNTIL.`,
    };
  }
  parts.count = count;
  return null;
}

/** A UTC value is an instant, a floating one is the zone's own clock, and a bare date lasts to its end. */
function readUntil(parts: RuleParts, value: string, timeZone: string): RuleFault | null {
  const found = /^(\d{4})(\d\d)(\d\d)(?:T(\d\d)(\d\d)(\d\d)(Z)?)?$/.exec(value);
  const [, year, month, day, hour = '23', minute = '59', second = '59', utc] = found ?? [];
  const wall = found
    ? wallFromFields(Number(year), Number(month), Number(day), Number(hour), Number(minute), Number(second))
    : null;
  if (wall === null) {
    return {
      code: 'bad_until',
      detail: 'UNTIL must be a real date such as 20270301 or, in UTC, 20270301T170000Z.',
    };
  }
  parts.until = utc
    ? { at: wall, wall: wallAt(wall, timeZone) }
    : { at: resolveWall(wall, timeZone).instant, wall };
  return null;
}

function readWeekdays(parts: RuleParts, value: string): RuleFault | null {
  const byDay = new Map<string, WeekdayPart>();
  for (const piece of value.split(',')) {
    const found = /^([+-]?\d{1,2})?([A-Z]{2})$/.exec(piece);
    const weekday = weekdays.find(known => known === found?.[2]);
    const ordinal = found?.[1] === undefined ? null : Number(found[1]);
    if (!weekday || ordinal === 0 || Math.abs(ordinal ?? 1) > 53) {
      return {
        code: 'bad_byday',
        detail: 'BYDAY must list days such as MO,TU or, counted in a month, 3TU or -1FR.',
      };
    }
    byDay.set(`${ordinal ?? ''}${weekday}`, { weekday, ordinal });
  }
  parts.byDay = [...byDay.values()];
  return null;
}

function readWeekStart(parts: RuleParts, value: string): RuleFault | null {
  const weekday = weekdays.find(known => known === value);
  if (!weekday) return { code: 'bad_wkst', detail: `WKST must be one of ${weekdays.join(', ')}.` };
  parts.weekStart = weekday;
  return null;
}

function readNumbers(
  name: string,
  value: string,
  { min, max, fromEnd }: { min: number; max: number; fromEnd: boolean },
): Reading<number[]> {
  const numbers = new Set<number>();
  for (const piece of value.split(',')) {
    const number = /^[+-]?\d{1,3}$/.test(piece) ? Number(piece) : Number.NaN;
    const size = fromEnd ? Math.abs(number) : number;
    if (!(size >= min && size <= max)) {
      const range = fromEnd
        ? `${min} to ${max}, or -${max} to -${min} counted from the end`
        : `${min} to ${max}`;
      return refuse(`bad_${name.toLowerCase()}`, `${name} must list whole numbers from ${range}.`);
    }
    numbers.add(number);
  }
  return { ok: true, value: [...numbers].sort((a, b) => a - b) };
}

function emptyParts(): RuleParts {
  return {
    frequency: 'DAILY',
    interval: 1,
    count: null,
    until: null,
    byMonth: [],
    byMonthDay: [],
    byYearDay: [],
    byDay: [],
    byHour: [],
    byMinute: [],
    bySecond: [],
    bySetPos: [],
    weekStart: null,
  };
}

function wholeNumber(text: string): number | null {
  return /^\d{1,9}$/.test(text) ? Number(text) : null;
}

function refuse(code: string, detail: string): { ok: false; fault: RuleFault } {
  return { ok: false, fault: { code, detail } };
}
