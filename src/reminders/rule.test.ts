import { describe, expect, it } from 'vitest';
import { type ParsedSchedule, parseSchedule } from './recurrence.ts';

function schedule(start: string, zone: string, rule?: string): ParsedSchedule {
  const parsed = parseSchedule({ start_local: start, time_zone: zone, rrule: rule ?? null });
  if (!parsed.ok) throw new Error(parsed.problem.detail);
  return parsed.schedule;
}

function problem(start: string, zone: string, rule?: string) {
  const parsed = parseSchedule({ start_local: start, time_zone: zone, rrule: rule ?? null });
  return parsed.ok ? null : parsed.problem;
}

function ruleProblem(rule: string, start = '2026-11-24T08:00') {
  return problem(start, 'Europe/Berlin', rule);
}

describe('refusals say the field and the remedy', () => {
  it.each([
    ['FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30', /no 30 February/],
    ['FREQ=MONTHLY;BYMONTH=4,6;BYMONTHDAY=31', /no 31 April, June/],
    ['FREQ=MONTHLY;BYDAY=5MO;BYMONTHDAY=1', /no time fits all of its parts/],
    ['FREQ=DAILY;INTERVAL=7;BYDAY=MO', /no time fits all of its parts/],
    ['FREQ=HOURLY;INTERVAL=2;BYHOUR=3', /no time fits all of its parts/],
    ['FREQ=MONTHLY;BYMONTHDAY=1;BYSETPOS=3', /BYSETPOS asks for more/],
    ['FREQ=DAILY;BYMONTH=6;UNTIL=20270101', /between the start and UNTIL/],
  ])('impossible: %s', (rule, detail) => {
    const found = ruleProblem(rule);
    expect(found).toMatchObject({ field: 'rrule', code: 'no_occurrence' });
    expect(found?.detail).toMatch(detail);
  });

  it('names the day that the start lends to a monthly rule', () => {
    expect(ruleProblem('FREQ=MONTHLY;BYMONTH=2', '2027-01-30T08:00')?.detail).toMatch(/no 30 February/);
  });

  it.each([
    ['', 'empty_rule'],
    ['every monday', 'extra_text'],
    ['FREQ=DAILY\nDTSTART:20261124T080000', 'foreign_property'],
    ['DTSTART;TZID=Europe/Berlin:20261124T080000', 'foreign_property'],
    ['FREQ=DAILY;TZID=Europe/Berlin', 'foreign_property'],
    ['FREQ=DAILY\nEXDATE:20261125T080000', 'foreign_property'],
    ['FREQ=DAILY\nEND:VEVENT', 'extra_text'],
    ['FREQ=DAILY and so on', 'extra_text'],
    ['FREQ', 'bad_part'],
    ['FREQ=DAILY;;COUNT=1', 'bad_part'],
    ['COUNT=3', 'no_frequency'],
    ['FREQ=OFTEN', 'unknown_frequency'],
    ['FREQ=DAILY;FREQ=WEEKLY', 'part_twice'],
    ['FREQ=DAILY;BYEASTER=0', 'unknown_part'],
    ['FREQ=DAILY;INTERVAL=0', 'bad_interval'],
    ['FREQ=YEARLY;INTERVAL=101', 'bad_interval'],
    ['FREQ=DAILY;COUNT=0', 'bad_count'],
    ['FREQ=DAILY;COUNT=100000', 'bad_count'],
    ['FREQ=DAILY;COUNT=2;UNTIL=20270101', 'count_and_until'],
    ['FREQ=DAILY;UNTIL=20270230', 'bad_until'],
    ['FREQ=DAILY;UNTIL=2027-03-01', 'bad_until'],
    ['FREQ=DAILY;UNTIL=20261123T000000Z', 'ends_before_start'],
    ['FREQ=WEEKLY;BYDAY=XX', 'bad_byday'],
    ['FREQ=WEEKLY;BYDAY=2MO', 'counted_day'],
    ['FREQ=MONTHLY;BYDAY=6MO', 'bad_byday'],
    ['FREQ=MONTHLY;BYMONTHDAY=32', 'bad_bymonthday'],
    ['FREQ=YEARLY;BYMONTH=13', 'bad_bymonth'],
    ['FREQ=DAILY;BYHOUR=24', 'bad_byhour'],
    ['FREQ=WEEKLY;BYMONTHDAY=1', 'weekly_month_day'],
    ['FREQ=WEEKLY;BYDAY=MO,TU;BYSETPOS=1', 'weekly_position'],
    ['FREQ=MONTHLY;BYSETPOS=1', 'position_alone'],
    ['FREQ=YEARLY;BYWEEKNO=20', 'week_numbers'],
    ['FREQ=MONTHLY;BYYEARDAY=1', 'year_day'],
    ['FREQ=YEARLY;BYYEARDAY=1;BYDAY=MO', 'year_day'],
    ['FREQ=YEARLY;BYMONTHDAY=13;BYDAY=2FR', 'counted_day'],
    ['FREQ=DAILY;WKST=XX', 'bad_wkst'],
    [`FREQ=DAILY;BYHOUR=${'1,'.repeat(600)}1`, 'rule_too_long'],
  ])('rule %j: %s', (rule, code) => {
    const found = ruleProblem(rule);
    expect(found).toMatchObject({ field: 'rrule', code });
    expect(found?.detail).toMatch(/^[A-Z"].*\.$/);
  });

  it.each([
    ['2026-11-24', 'bad_local_time'],
    ['24.11.2026 08:00', 'bad_local_time'],
    ['', 'bad_local_time'],
    ['2026-11-24T08:00Z', 'has_offset'],
    ['2026-11-24T08:00:00+01:00', 'has_offset'],
    ['2026-11-24T08:00[Europe/Berlin]', 'has_offset'],
    ['2026-02-30T08:00', 'no_such_date'],
    ['2026-11-24T24:00', 'no_such_date'],
    ['2026-11-24T08:00:60', 'no_such_date'],
    ['0001-01-01T00:00', 'out_of_range'],
    ['9999-01-01T00:00', 'out_of_range'],
  ])('start %j: %s', (start, code) => {
    expect(problem(start, 'Europe/Berlin')).toMatchObject({ field: 'start_local', code });
  });

  it.each([
    ['Europe/Berln', 'unknown_zone', /Europe\/Berlin/],
    ['Tokyo', 'unknown_zone', /Did you mean Asia\/Tokyo/],
    ['', 'unknown_zone', /IANA/],
    ['IST', 'unknown_zone', /IANA/],
    ['+02:00', 'offset_not_zone', /Europe\/Berlin/],
    ['UTC+2', 'offset_not_zone', /summer time/],
    ['GMT-5', 'offset_not_zone', /summer time/],
    ['Z', 'offset_not_zone', /summer time/],
  ])('zone %j: %s', (zone, code, detail) => {
    const found = problem('2026-11-24T08:00', zone);
    expect(found).toMatchObject({ field: 'time_zone', code });
    expect(found?.detail).toMatch(detail);
  });

  it('accepts lower case, the prefix, a closing semicolon and any case of the zone', () => {
    const parsed = schedule('2026-11-24T08:00', 'europe/berlin', ' rrule:freq=weekly;byday=mo; ');
    expect(parsed).toMatchObject({
      start_local: '2026-11-24T08:00:00',
      time_zone: 'Europe/Berlin',
      rrule: 'FREQ=WEEKLY;BYDAY=MO',
    });
    expect(schedule('2026-11-24T08:00', 'Asia/Kolkata').time_zone).toBe('Asia/Kolkata');
  });

  it('refuses less than 15 minutes, in any spelling', () => {
    for (const rule of [
      'FREQ=MINUTELY',
      'FREQ=MINUTELY;INTERVAL=14',
      'FREQ=SECONDLY',
      'FREQ=SECONDLY;INTERVAL=3600',
      'FREQ=MINUTELY;BYDAY=MO',
      'FREQ=DAILY;BYMINUTE=0,10',
      'FREQ=DAILY;BYHOUR=0,23;BYMINUTE=0,50',
      'FREQ=HOURLY;BYMINUTE=0,15,30,45;BYSECOND=0,30',
      `FREQ=YEARLY;BYSECOND=${[...Array(60).keys()]};BYMINUTE=${[...Array(60).keys()]};BYHOUR=${[...Array(24).keys()]}`,
    ]) {
      expect(ruleProblem(rule)?.code, rule).toBe('too_frequent');
    }
    expect(ruleProblem('FREQ=MINUTELY;INTERVAL=15')).toBeNull();
    expect(ruleProblem('FREQ=HOURLY;BYMINUTE=0,15,30,45')).toBeNull();
  });
});
