import { describe, expect, it } from 'vitest';
import { days, EARLY, instants, locals, schedule } from './occurrences.fixture.ts';
import dateutil from './recurrence.fixture.json' with { type: 'json' };
import { nextOccurrence, previewOccurrences } from './recurrence.ts';

describe('the calendar', () => {
  const cases: [name: string, start: string, rule: string, expected: string][] = [
    ['every day', '2026-11-24T08:00', 'FREQ=DAILY', '2026-11-24 2026-11-25 2026-11-26'],
    [
      'every third day over a month end',
      '2026-11-28T08:00',
      'FREQ=DAILY;INTERVAL=3',
      '2026-11-28 2026-12-01 2026-12-04',
    ],
    [
      'every weekday',
      '2026-11-27T07:30',
      'FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR',
      '2026-11-27 2026-11-30 2026-12-01',
    ],
    ['the weekday of the start', '2026-11-24T08:00', 'FREQ=WEEKLY', '2026-11-24 2026-12-01 2026-12-08'],
    [
      'every other week, weeks from Monday',
      '2026-11-26T18:00',
      'FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,TH',
      '2026-11-26 2026-12-07 2026-12-10',
    ],
    [
      'every other week, weeks from Sunday',
      '2026-11-26T18:00',
      'FREQ=WEEKLY;INTERVAL=2;BYDAY=SU,TH;WKST=SU',
      '2026-11-26 2026-12-06 2026-12-10',
    ],
    [
      'a start that the rule does not hit',
      '2026-11-24T08:00',
      'FREQ=WEEKLY;BYDAY=FR',
      '2026-11-27 2026-12-04 2026-12-11',
    ],
    [
      'months without a 31st are skipped',
      '2027-01-31T08:00',
      'FREQ=MONTHLY',
      '2027-01-31 2027-03-31 2027-05-31',
    ],
    [
      'a 29 February only in leap years',
      '2028-02-29T08:00',
      'FREQ=YEARLY',
      '2028-02-29 2032-02-29 2036-02-29',
    ],
    [
      'the last day of the month',
      '2027-01-31T09:00',
      'FREQ=MONTHLY;BYMONTHDAY=-1',
      '2027-01-31 2027-02-28 2027-03-31',
    ],
    [
      'the 31st or the last day',
      '2027-01-31T09:00',
      'FREQ=MONTHLY;BYMONTHDAY=28,29,30,31;BYSETPOS=-1',
      '2027-01-31 2027-02-28 2027-03-31',
    ],
    [
      'the last workday',
      '2027-01-01T09:00',
      'FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1',
      '2027-01-29 2027-02-26 2027-03-31',
    ],
    ['the third Tuesday', '2026-11-01T10:00', 'FREQ=MONTHLY;BYDAY=3TU', '2026-11-17 2026-12-15 2027-01-19'],
    ['the last Friday', '2026-11-01T10:00', 'FREQ=MONTHLY;BYDAY=-1FR', '2026-11-27 2026-12-25 2027-01-29'],
    [
      'a Friday that is the 13th',
      '2026-11-01T10:00',
      'FREQ=MONTHLY;BYDAY=FR;BYMONTHDAY=13',
      '2026-11-13 2027-08-13 2028-10-13',
    ],
    [
      'the fourth Thursday of November',
      '2026-01-01T10:00',
      'FREQ=YEARLY;BYMONTH=11;BYDAY=4TH',
      '2026-11-26 2027-11-25 2028-11-23',
    ],
    [
      'the first and last day of the year',
      '2026-06-01T10:00',
      'FREQ=YEARLY;BYYEARDAY=1,-1',
      '2026-12-31 2027-01-01 2027-12-31',
    ],
  ];
  it.each(cases)('%s', (_, start, rule, expected) => {
    expect(days(start, rule, 3).join(' ')).toBe(expected);
  });

  it('lists the times of a day in order, whatever the order of the rule', () => {
    expect(locals('2026-11-24T12:00', 'Europe/Berlin', 'FREQ=DAILY;BYHOUR=18,8;BYMINUTE=30,0', 3)).toEqual([
      '2026-11-24T18:00',
      '2026-11-24T18:30',
      '2026-11-25T08:00',
    ]);
  });

  it('comes once without a rule, also when the start is long past', () => {
    const once = schedule('2026-11-24T08:00', 'Asia/Kuala_Lumpur');
    expect(previewOccurrences(once, EARLY, 5)).toEqual([
      { local: '2026-11-24T08:00:00', at: new Date('2026-11-24T00:00:00Z'), shifted: false },
    ]);
    expect(nextOccurrence(once, new Date('2026-11-23T23:59:59.999Z'))?.at.toISOString()).toBe(
      '2026-11-24T00:00:00.000Z',
    );
    expect(nextOccurrence(once, new Date('2026-11-24T00:00:00Z'))).toBeNull();
  });

  it('keeps the seconds of the start', () => {
    expect(previewOccurrences(schedule('2026-11-24T08:00:30', 'UTC', 'FREQ=DAILY'), EARLY, 1)[0]?.local).toBe(
      '2026-11-24T08:00:30',
    );
  });

  it('previews from an instant onwards and includes it', () => {
    const daily = schedule('2026-11-24T08:00', 'UTC', 'FREQ=DAILY');
    const [first] = previewOccurrences(daily, new Date('2026-12-01T08:00:00Z'), 1);
    expect(first?.local).toBe('2026-12-01T08:00:00');
    expect(previewOccurrences(daily, EARLY, 0)).toEqual([]);
  });

  it.each(dateutil)('agrees with python-dateutil: $rule from $start', ({ rule, start, expected }) => {
    const found = previewOccurrences(schedule(start, 'UTC', rule), EARLY, 5).map(({ local }) => local);
    expect(found.join(' ')).toBe(expected);
  });
});

describe('the end of a rule', () => {
  it('includes UNTIL, which is an instant in UTC', () => {
    const until = (value: string) =>
      instants('2026-11-24T08:00', 'America/New_York', `FREQ=DAILY;UNTIL=${value}`, 9);
    expect(until('20261126T130000Z')).toHaveLength(3);
    expect(until('20261126T125959Z')).toHaveLength(2);
  });

  it('compares UNTIL with the day of the zone, not of UTC (Kuala Lumpur)', () => {
    expect(days('2026-11-24T08:00', 'FREQ=DAILY;UNTIL=20261126T235959Z', 9)).toHaveLength(3);
    expect(
      locals('2026-11-24T07:00', 'Asia/Kuala_Lumpur', 'FREQ=DAILY;UNTIL=20261125T230000Z', 9),
    ).toHaveLength(3);
  });

  it('takes a date or a local time as the clock of the zone, a date up to its end', () => {
    expect(days('2026-11-24T08:00', 'FREQ=DAILY;UNTIL=20261126', 9)).toHaveLength(3);
    expect(days('2026-11-24T08:00', 'FREQ=DAILY;UNTIL=20261126T080000', 9)).toHaveLength(3);
    expect(days('2026-11-24T08:00', 'FREQ=DAILY;UNTIL=20261126T075959', 9)).toHaveLength(2);
  });

  it('ends by instants where the wall clock was moved or comes twice', () => {
    expect(
      instants('2027-03-27T02:30', 'Europe/Berlin', 'FREQ=DAILY;UNTIL=20270328T013000Z', 9),
    ).toHaveLength(2);
    expect(
      instants('2027-03-27T02:30', 'Europe/Berlin', 'FREQ=DAILY;UNTIL=20270328T012959Z', 9),
    ).toHaveLength(1);
    expect(
      instants('2026-10-24T02:30', 'Europe/Berlin', 'FREQ=DAILY;UNTIL=20261025T011500Z', 9),
    ).toHaveLength(2);
  });

  it('counts local occurrences, of which a start outside the rule is none', () => {
    expect(days('2026-11-24T08:00', 'FREQ=WEEKLY;BYDAY=FR;COUNT=2', 9)).toEqual(['2026-11-27', '2026-12-04']);
    expect(instants('2011-12-29T09:00', 'Pacific/Apia', 'FREQ=DAILY;COUNT=3', 9)).toHaveLength(2);
  });

  it('still counts far from the start, also when years lie between two occurrences', () => {
    const leap = schedule('2024-02-29T08:00', 'UTC', 'FREQ=DAILY;BYMONTH=2;BYMONTHDAY=29;COUNT=4');
    expect(nextOccurrence(leap, new Date('2035-01-01T00:00:00Z'))?.local).toBe('2036-02-29T08:00:00');
    expect(nextOccurrence(leap, new Date('2036-03-01T00:00:00Z'))).toBeNull();
  });

  it('answers null after the end and beyond the calendar', () => {
    expect(
      nextOccurrence(
        schedule('2026-11-24T08:00', 'UTC', 'FREQ=DAILY;COUNT=2'),
        new Date('2026-11-25T08:00:00Z'),
      ),
    ).toBeNull();
    expect(nextOccurrence(schedule('2026-11-24T08:00', 'UTC', 'FREQ=DAILY'), new Date(8.64e15))).toBeNull();
  });
});

describe('hours and minutes without BY parts are elapsed time', () => {
  it('keeps real hours through a gap and through an overlap', () => {
    expect(instants('2027-03-28T00:30', 'Europe/Berlin', 'FREQ=HOURLY', 3)).toEqual([
      '2027-03-27T23:30',
      '2027-03-28T00:30',
      '2027-03-28T01:30',
    ]);
    expect(locals('2026-10-25T01:30', 'Europe/Berlin', 'FREQ=HOURLY;COUNT=4', 9)).toEqual([
      '2026-10-25T01:30',
      '2026-10-25T02:30',
      '2026-10-25T02:30',
      '2026-10-25T03:30',
    ]);
  });

  it('drifts on the wall clock where a wall-clock rule does not', () => {
    expect(locals('2027-03-27T09:00', 'Europe/Berlin', 'FREQ=HOURLY;INTERVAL=24', 2)[1]).toBe(
      '2027-03-28T10:00',
    );
    expect(locals('2027-03-27T09:00', 'Europe/Berlin', 'FREQ=HOURLY;INTERVAL=12;BYHOUR=9,21', 3)[2]).toBe(
      '2027-03-28T09:00',
    );
  });

  it('finds its place years later without walking there', () => {
    const quarter = schedule('2026-01-01T00:00', 'UTC', 'FREQ=MINUTELY;INTERVAL=15;UNTIL=20560101T001500Z');
    expect(nextOccurrence(quarter, new Date('2055-12-31T23:59:00Z'))?.at.toISOString()).toBe(
      '2056-01-01T00:00:00.000Z',
    );
    expect(previewOccurrences(quarter, new Date('2055-12-31T23:59:00Z'), 9)).toHaveLength(2);
  });
});
