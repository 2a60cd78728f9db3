import { describe, expect, it } from 'vitest';
import { parseSchedule, previewOccurrences } from '../../../src/reminders/recurrence.ts';
import { type End, type Repeat, readRule, ruleOf } from './repeat.ts';
import { choicesFor, dayOfMonth } from './repeat-words.ts';

const never: End = { kind: 'never' };
const tuesday = '2026-11-24';

describe('rules from choices', () => {
  it.each([
    ['daily', 'FREQ=DAILY'],
    ['weekdays', 'FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR'],
    ['weekly', 'FREQ=WEEKLY;BYDAY=TU'],
    ['monthly_weekday', 'FREQ=MONTHLY;BYDAY=4TU'],
    ['monthly_day', 'FREQ=MONTHLY;BYMONTHDAY=24'],
    ['month_end', 'FREQ=MONTHLY;BYMONTHDAY=-1'],
    ['yearly', 'FREQ=YEARLY;BYMONTH=11;BYMONTHDAY=24'],
  ] as const)('%s means %s', (preset, rule) => {
    expect(ruleOf({ kind: 'preset', preset }, tuesday, never)).toBe(rule);
  });

  it('calls the fifth weekday of a month the last', () => {
    expect(ruleOf({ kind: 'preset', preset: 'monthly_weekday' }, '2026-09-29', never)).toBe(
      'FREQ=MONTHLY;BYDAY=-1TU',
    );
  });

  it('ends on a day or after a number', () => {
    const weekly: Repeat = { kind: 'preset', preset: 'weekly' };
    expect(ruleOf(weekly, tuesday, { kind: 'on', date: '2027-03-01' })).toBe(
      'FREQ=WEEKLY;BYDAY=TU;UNTIL=20270301',
    );
    expect(ruleOf(weekly, tuesday, { kind: 'after', count: 6 })).toBe('FREQ=WEEKLY;BYDAY=TU;COUNT=6');
  });

  it('builds another rhythm', () => {
    const base = { kind: 'custom', every: 2, days: [], monthly: 'day' } as const;
    const rule = (over: Partial<Extract<Repeat, { kind: 'custom' }>>) =>
      ruleOf({ ...base, days: [], unit: 'week', ...over }, tuesday, never);
    expect(rule({ days: ['FR', 'MO'] })).toBe('FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,FR');
    expect(rule({})).toBe('FREQ=WEEKLY;INTERVAL=2;BYDAY=TU');
    expect(rule({ unit: 'month', monthly: 'last_day', every: 3 })).toBe(
      'FREQ=MONTHLY;INTERVAL=3;BYMONTHDAY=-1',
    );
    expect(rule({ unit: 'day', every: 1 })).toBe('FREQ=DAILY');
  });

  it('is once without a rule', () => {
    expect(ruleOf({ kind: 'once' }, tuesday, { kind: 'after', count: 3 })).toBeNull();
  });
});

describe('choices from rules', () => {
  const repeats: Repeat[] = [
    { kind: 'once' },
    { kind: 'preset', preset: 'daily' },
    { kind: 'preset', preset: 'weekdays' },
    { kind: 'preset', preset: 'weekly' },
    { kind: 'preset', preset: 'monthly_weekday' },
    { kind: 'preset', preset: 'monthly_day' },
    { kind: 'preset', preset: 'month_end' },
    { kind: 'preset', preset: 'yearly' },
    { kind: 'custom', every: 2, unit: 'week', days: ['MO', 'FR'], monthly: 'day' },
    { kind: 'custom', every: 3, unit: 'month', days: [], monthly: 'weekday' },
    { kind: 'custom', every: 10, unit: 'day', days: [], monthly: 'day' },
  ];
  const ends: End[] = [never, { kind: 'on', date: '2027-03-01' }, { kind: 'after', count: 6 }];

  it.each(repeats)('finds %j again', repeat => {
    for (const end of repeat.kind === 'once' ? [never] : ends) {
      expect(readRule(ruleOf(repeat, tuesday, end), tuesday)).toEqual({ repeat, end });
    }
  });

  it.each([
    'FREQ=HOURLY;INTERVAL=6',
    'FREQ=MONTHLY;BYDAY=MO,TU;BYSETPOS=-1',
    'FREQ=WEEKLY;BYDAY=TU;UNTIL=20270301T170000Z',
    'FREQ=MONTHLY;BYMONTHDAY=1,15',
  ])('keeps %s word for word', rule => {
    const { repeat, end } = readRule(rule, tuesday);
    expect(repeat).toEqual({ kind: 'kept', rule });
    expect(ruleOf(repeat, tuesday, end)).toBe(rule);
  });

  it('reads parts in any order', () => {
    expect(readRule('BYDAY=FR,TH,WE,TU,MO;INTERVAL=1;FREQ=WEEKLY', tuesday).repeat).toEqual({
      kind: 'preset',
      preset: 'weekdays',
    });
  });
});

describe('the server takes every rule that the form builds', () => {
  const dates = ['2026-11-24', '2026-11-30', '2028-02-29', '2026-12-31', '2026-09-29'];
  const presets = [
    'daily',
    'weekdays',
    'weekly',
    'monthly_weekday',
    'monthly_day',
    'month_end',
    'yearly',
  ] as const;

  it.each(dates)('with a start on %s', date => {
    for (const preset of presets) {
      const rrule = ruleOf({ kind: 'preset', preset }, date, never);
      const parsed = parseSchedule({ start_local: `${date}T08:00`, time_zone: 'Europe/Berlin', rrule });
      expect(parsed).toMatchObject({ ok: true });
      if (!parsed.ok) continue;
      const [first] = previewOccurrences(parsed.schedule, new Date(`${date}T00:00:00Z`), 1);
      if (preset === 'weekly' || preset === 'yearly') expect(first?.local.slice(0, 10)).toBe(date);
    }
  });
});

it('names the choices from the start date', () => {
  const labels = choicesFor(tuesday, false).map(choice => choice.label);
  expect(labels).toContain('Every week on Tuesday');
  expect(labels).toContain('Every month on the fourth Tuesday');
  expect(labels).toContain('Every month on the 24th');
  expect(choicesFor('2026-11-17', false).map(choice => choice.label)).toContain(
    'Every month on the third Tuesday',
  );
  expect([1, 2, 3, 11, 22, 31].map(dayOfMonth)).toEqual(['1st', '2nd', '3rd', '11th', '22nd', '31st']);
});
