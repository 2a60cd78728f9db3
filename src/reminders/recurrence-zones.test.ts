import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { RRuleTemporal } from 'rrule-temporal';
import { Temporal } from 'temporal-polyfill';
import { describe, expect, it } from 'vitest';
import { EARLY, instants, locals, schedule } from './occurrences.fixture.ts';
import { nextOccurrence, previewOccurrences } from './recurrence.ts';

describe('gaps: a wall clock that does not exist moves forward', () => {
  it('moves by the length of the gap, and only on that day (Berlin)', () => {
    const rule = 'FREQ=DAILY';
    expect(instants('2027-03-27T02:30', 'Europe/Berlin', rule, 3)).toEqual([
      '2027-03-27T01:30',
      '>2027-03-28T01:30',
      '2027-03-29T00:30',
    ]);
    expect(locals('2027-03-27T02:30', 'Europe/Berlin', rule, 3)[1]).toBe('2027-03-28T02:30');
  });

  it('does the same west of Greenwich (New York)', () => {
    expect(instants('2027-03-13T02:30', 'America/New_York', 'FREQ=DAILY', 3)).toEqual([
      '2027-03-13T07:30',
      '>2027-03-14T07:30',
      '2027-03-15T06:30',
    ]);
  });

  it('shifts a single reminder', () => {
    expect(instants('2027-03-28T02:30', 'Europe/Berlin', undefined, 2)).toEqual(['>2027-03-28T01:30']);
  });

  it('does not let a start inside a gap drag the later occurrences to 03:30', () => {
    const start = Temporal.ZonedDateTime.from('2027-03-28T02:30[Europe/Berlin]');
    const zoned = new RRuleTemporal({ freq: 'DAILY', dtstart: start, tzid: 'Europe/Berlin' });
    expect(zoned.next(new Date('2027-03-29T12:00:00Z'))?.toString()).toContain('T03:30');
    expect(instants('2027-03-28T02:30', 'Europe/Berlin', 'FREQ=DAILY', 3)).toEqual([
      '>2027-03-28T01:30',
      '2027-03-29T00:30',
      '2027-03-30T00:30',
    ]);
  });

  it('knows a gap of half an hour (Lord Howe)', () => {
    expect(instants('2026-10-03T02:15', 'Australia/Lord_Howe', 'FREQ=DAILY', 3)).toEqual([
      '2026-10-02T15:45',
      '>2026-10-03T15:45',
      '2026-10-04T15:15',
    ]);
  });

  it('knows a gap at midnight and stays on the same day (Cairo)', () => {
    expect(instants('2026-04-23T00:30', 'Africa/Cairo', 'FREQ=DAILY', 3)).toEqual([
      '2026-04-22T22:30',
      '>2026-04-23T22:30',
      '2026-04-24T21:30',
    ]);
  });

  it('comes once on the instant where a lost day and the next day meet (Apia, 30 December 2011)', () => {
    const found = previewOccurrences(schedule('2011-12-29T09:00', 'Pacific/Apia', 'FREQ=DAILY'), EARLY, 3);
    expect(found.map(({ local, at, shifted }) => [local, at.toISOString().slice(0, 13), shifted])).toEqual([
      ['2011-12-29T09:00:00', '2011-12-29T19', false],
      ['2011-12-31T09:00:00', '2011-12-30T19', false],
      ['2012-01-01T09:00:00', '2011-12-31T19', false],
    ]);
  });

  it('keeps the occurrence of a lost day when nothing else falls on its instant (Apia, weekly)', () => {
    expect(instants('2011-12-23T09:00', 'Pacific/Apia', 'FREQ=WEEKLY', 3)).toEqual([
      '2011-12-23T19:00',
      '>2011-12-30T19:00',
      '2012-01-05T19:00',
    ]);
  });

  it('puts shifted and unshifted times in the order of their instants, each once', () => {
    expect(
      instants('2027-03-28T00:00', 'Europe/Berlin', 'FREQ=DAILY;BYHOUR=2,3;BYMINUTE=0,15,30', 8),
    ).toEqual([
      '2027-03-28T01:00',
      '2027-03-28T01:15',
      '2027-03-28T01:30',
      '2027-03-29T00:00',
      '2027-03-29T00:15',
      '2027-03-29T00:30',
      '2027-03-29T01:00',
      '2027-03-29T01:15',
    ]);
    expect(
      instants('2027-03-28T00:00', 'Europe/Berlin', 'FREQ=DAILY;BYHOUR=2,3;BYMINUTE=15,45;COUNT=4', 8),
    ).toHaveLength(2);
    expect(
      instants('2027-03-28T02:45', 'Europe/Berlin', 'FREQ=HOURLY;BYHOUR=2,3;BYMINUTE=20,45;COUNT=3', 8),
    ).toEqual(['2027-03-28T01:20', '2027-03-28T01:45']);
  });

  it('finds the rest of the shifted times when asked just behind the gap', () => {
    const quarters = schedule('2027-03-28T00:00', 'Europe/Berlin', 'FREQ=DAILY;BYHOUR=2;BYMINUTE=0,15,30,45');
    const next = nextOccurrence(quarters, new Date('2027-03-28T01:05:00Z'));
    expect(next).toEqual({
      local: '2027-03-28T02:15:00',
      at: new Date('2027-03-28T01:15:00Z'),
      shifted: true,
    });
  });

  it('fires yearly in a gap also as the last occurrence', () => {
    expect(instants('2027-03-28T02:30', 'Europe/Berlin', 'FREQ=YEARLY;UNTIL=20270401', 2)).toEqual([
      '>2027-03-28T01:30',
    ]);
  });
});

describe('overlaps: a wall clock that comes twice means its first pass', () => {
  it('comes once in the hour that comes twice (Berlin)', () => {
    expect(instants('2026-10-24T02:30', 'Europe/Berlin', 'FREQ=DAILY', 3)).toEqual([
      '2026-10-24T00:30',
      '2026-10-25T00:30',
      '2026-10-26T01:30',
    ]);
  });

  it('goes on to the next day when asked between the two passes (New York)', () => {
    const daily = schedule('2026-10-31T01:30', 'America/New_York', 'FREQ=DAILY');
    expect(nextOccurrence(daily, new Date('2026-11-01T05:29:00Z'))?.at.toISOString()).toBe(
      '2026-11-01T05:30:00.000Z',
    );
    expect(nextOccurrence(daily, new Date('2026-11-01T05:45:00Z'))?.at.toISOString()).toBe(
      '2026-11-02T06:30:00.000Z',
    );
    expect(nextOccurrence(daily, new Date('2026-11-01T06:15:00Z'))?.at.toISOString()).toBe(
      '2026-11-02T06:30:00.000Z',
    );
  });
});

it('does not depend on the time zone of the process', () => {
  const script = `
    import { parseSchedule, previewOccurrences } from './recurrence.ts';
    const cases = [['2026-02-14T00:30', 'America/Sao_Paulo'], ['2027-03-27T02:30', 'Europe/Berlin'], ['2018-11-03T00:00', 'America/Sao_Paulo']];
    console.log(JSON.stringify(cases.map(([start_local, time_zone]) => {
      const parsed = parseSchedule({ start_local, time_zone, rrule: 'FREQ=DAILY;UNTIL=20270501T000000Z' });
      return parsed.ok ? previewOccurrences(parsed.schedule, new Date(0), 40) : parsed.problem;
    })));`;
  const run = (TZ: string) =>
    execFileSync(process.execPath, ['--input-type=module', '-e', script], {
      cwd: fileURLToPath(new URL('.', import.meta.url)),
      env: { ...process.env, TZ },
      encoding: 'utf8',
    });
  const here = run('UTC');
  expect(JSON.parse(here)[2]?.[1]).toEqual({
    local: '2018-11-04T00:00:00',
    at: '2018-11-04T03:00:00.000Z',
    shifted: true,
  });
  expect(run('America/Sao_Paulo')).toBe(here);
  expect(run('Pacific/Apia')).toBe(here);
});
