import fc from 'fast-check';
import { Temporal } from 'temporal-polyfill';
import { describe, expect, it } from 'vitest';
import { nextOccurrence, parseSchedule, previewOccurrences } from './recurrence.ts';

const EARLY = new Date('1990-01-01T00:00:00Z');

describe('for any rule', () => {
  const list = (min: number, max: number, ends: boolean, most: number) =>
    fc.uniqueArray(
      ends
        ? fc.oneof(fc.integer({ min, max }), fc.integer({ min: -max, max: -min }))
        : fc.integer({ min, max }),
      {
        minLength: 1,
        maxLength: most,
      },
    );
  const part = (name: string, values: fc.Arbitrary<(number | string)[]>) =>
    fc.option(
      values.map(value => `${name}=${value.join(',')}`),
      { nil: '', freq: 1 },
    );
  const byDay = fc.uniqueArray(
    fc
      .tuple(
        fc.constantFrom('', '', '', '1', '3', '5', '-1'),
        fc.constantFrom('MO', 'TU', 'WE', 'TH', 'FR', 'SA', 'SU'),
      )
      .map(pair => pair.join('')),
    { minLength: 1, maxLength: 4 },
  );
  const rule = fc
    .tuple(
      fc
        .constantFrom('YEARLY', 'MONTHLY', 'WEEKLY', 'DAILY', 'HOURLY', 'MINUTELY')
        .map(value => `FREQ=${value}`),
      fc.oneof(
        fc.constant(''),
        fc.integer({ min: 1, max: 60 }).map(value => `INTERVAL=${value}`),
      ),
      part('BYMONTH', list(1, 12, false, 3)),
      part('BYMONTHDAY', list(1, 31, true, 3)),
      part('BYYEARDAY', list(1, 366, true, 3)),
      part('BYDAY', byDay),
      part('BYHOUR', list(0, 23, false, 24)),
      part('BYMINUTE', list(0, 59, false, 3)),
      part('BYSETPOS', list(1, 20, true, 3)),
      fc.constantFrom('', '', 'COUNT=1', 'COUNT=7', 'COUNT=500', 'UNTIL=20280101T000000Z'),
    )
    .map(parts => parts.filter(text => text !== '').join(';'));
  const zone = fc.constantFrom(
    'UTC',
    'Europe/Berlin',
    'America/New_York',
    'Africa/Cairo',
    'Australia/Lord_Howe',
    'Africa/Casablanca',
    'America/Sao_Paulo',
    'Asia/Kolkata',
  );
  const minute = fc.date({ min: new Date('2026-01-01'), max: new Date('2028-01-01'), noInvalidDate: true });
  const input = fc.record({
    start_local: minute.map(date => date.toISOString().slice(0, 16)),
    time_zone: zone,
    rrule: fc.oneof(
      rule,
      fc.constantFrom('FREQ=DAILY', 'FREQ=DAILY;BYHOUR=0,1,2,3', 'FREQ=HOURLY;BYMINUTE=0,30'),
    ),
  });

  it('rises strictly, never repeats, and answers the same from every point', () => {
    fc.assert(
      fc.property(
        input,
        fc.date({ min: new Date('2026-01-01'), max: new Date('2031-01-01'), noInvalidDate: true }),
        (given, from) => {
          const parsed = parseSchedule(given);
          if (!parsed.ok) return;
          const found = previewOccurrences(parsed.schedule, from, 12);
          let before = new Date(from.getTime() - 1);
          for (const occurrence of found) {
            expect(occurrence.at.getTime()).toBeGreaterThan(before.getTime());
            expect(nextOccurrence(parsed.schedule, before)).toEqual(occurrence);
            expect(nextOccurrence(parsed.schedule, new Date(occurrence.at.getTime() - 1))).toEqual(
              occurrence,
            );
            before = occurrence.at;
          }
          if (found.length < 12) expect(nextOccurrence(parsed.schedule, before)).toBeNull();
        },
      ),
      { numRuns: 250 },
    );
  });

  it('gives the wall clock of the zone unless it says that it was shifted', () => {
    fc.assert(
      fc.property(input, given => {
        const parsed = parseSchedule(given);
        if (!parsed.ok) return;
        for (const { local, at, shifted } of previewOccurrences(parsed.schedule, EARLY, 8)) {
          const seen = Temporal.Instant.fromEpochMilliseconds(at.getTime()).toZonedDateTimeISO(
            given.time_zone,
          );
          expect(seen.toPlainDateTime().toString() === local).toBe(!shifted);
        }
      }),
      { numRuns: 150 },
    );
  });

  it('settles hopeless rules by a bounded search', () => {
    fc.assert(
      fc.property(input, given => {
        const parsed = parseSchedule(given);
        if (parsed.ok) nextOccurrence(parsed.schedule, new Date('2150-01-01T00:00:00Z'));
        else expect(parsed.problem.detail).toMatch(/\.$/);
      }),
      { numRuns: 150 },
    );
  }, 30_000);
});
