import { describe, expect, it } from 'vitest';
import { parseSchedule } from './recurrence.ts';
import { describeSchedule } from './summary.ts';

function say(rule: string | null, start = '2026-11-24T08:00', locale?: string): string {
  const parsed = parseSchedule({ start_local: start, time_zone: 'Asia/Kuala_Lumpur', rrule: rule });
  if (!parsed.ok) throw new Error(parsed.problem.detail);
  return describeSchedule(parsed.schedule, locale);
}

describe('describeSchedule', () => {
  it.each([
    [null, 'Once on Tuesday 24 November 2026 at 08:00'],
    ['FREQ=DAILY', 'Every day at 08:00'],
    ['FREQ=DAILY;INTERVAL=3', 'Every 3 days at 08:00'],
    ['FREQ=DAILY;BYDAY=MO,TU,WE,TH,FR', 'Every weekday at 08:00'],
    ['FREQ=DAILY;BYHOUR=18,8', 'Every day at 08:00 and 18:00'],
    ['FREQ=DAILY;BYMONTH=6,7', 'Every day in June and July at 08:00'],
    ['FREQ=WEEKLY', 'Every Tuesday at 08:00'],
    ['FREQ=WEEKLY;BYDAY=MO', 'Every Monday at 08:00'],
    ['FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR;BYHOUR=7;BYMINUTE=30', 'Every weekday at 07:30'],
    ['FREQ=WEEKLY;BYDAY=SU,WE,MO', 'Every Monday, Wednesday and Sunday at 08:00'],
    ['FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR,SA,SU', 'Every day at 08:00'],
    ['FREQ=WEEKLY;INTERVAL=2;BYDAY=TH,MO;BYHOUR=18', 'Every 2 weeks on Monday and Thursday at 18:00'],
    ['FREQ=MONTHLY', 'Monthly on the 24th at 08:00'],
    ['FREQ=MONTHLY;BYMONTHDAY=1,15', 'Monthly on the 1st and the 15th at 08:00'],
    ['FREQ=MONTHLY;BYMONTHDAY=-1;BYHOUR=9', 'Monthly on the last day at 09:00'],
    ['FREQ=MONTHLY;BYMONTHDAY=-2,3', 'Monthly on the 3rd and the second to last day at 08:00'],
    ['FREQ=MONTHLY;BYDAY=3TU;BYHOUR=10', 'Monthly on the third Tuesday at 10:00'],
    ['FREQ=MONTHLY;BYDAY=-1FR', 'Monthly on the last Friday at 08:00'],
    ['FREQ=MONTHLY;BYDAY=TU;BYSETPOS=3', 'Monthly on the third Tuesday at 08:00'],
    ['FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1', 'Monthly on the last workday at 08:00'],
    ['FREQ=MONTHLY;BYMONTHDAY=28,29,30,31;BYSETPOS=-1', 'Monthly on the 31st or the last day at 08:00'],
    ['FREQ=MONTHLY;INTERVAL=3;BYDAY=1MO', 'Every 3 months on the first Monday at 08:00'],
    ['FREQ=YEARLY;BYMONTH=12;BYMONTHDAY=24;BYHOUR=20', 'Every year on 24 December at 20:00'],
    ['FREQ=YEARLY', 'Every year on 24 November at 08:00'],
    [
      'FREQ=YEARLY;INTERVAL=2;BYMONTH=11;BYDAY=4TH',
      'Every 2 years on the fourth Thursday of November at 08:00',
    ],
    ['FREQ=HOURLY;INTERVAL=6', 'Every 6 hours, from 24 November 2026 at 08:00'],
    ['FREQ=MINUTELY;INTERVAL=30', 'Every 30 minutes, from 24 November 2026 at 08:00'],
  ])('%s', (rule, expected) => {
    expect(say(rule)).toBe(expected);
  });

  it('says when it ends, on the clock of the zone', () => {
    expect(say('FREQ=WEEKLY;BYDAY=MO;UNTIL=20270301')).toBe('Every Monday at 08:00, until 1 March 2027');
    expect(say('FREQ=WEEKLY;BYDAY=MO;UNTIL=20270228T160000Z')).toBe(
      'Every Monday at 08:00, until 1 March 2027',
    );
    expect(say('FREQ=DAILY;COUNT=10')).toBe('Every day at 08:00, for 10 times');
    expect(say('FREQ=DAILY;COUNT=1')).toBe('Every day at 08:00, for 1 time');
    expect(say('FREQ=HOURLY;COUNT=3')).toBe('Every hour, from 24 November 2026 at 08:00, for 3 times');
  });

  it.each([
    [
      'FREQ=MONTHLY;BYDAY=FR;BYMONTHDAY=13',
      'Every month at 08:00, only on: days of the month 13; weekdays Friday',
    ],
    ['FREQ=DAILY;INTERVAL=2;BYDAY=MO,FR', 'Every 2 days at 08:00, only on: weekdays Monday and Friday'],
    [
      'FREQ=HOURLY;INTERVAL=2;BYHOUR=8,10,12;BYDAY=MO;COUNT=4',
      'Every 2 hours, only on: weekdays Monday; hours 8, 10 and 12, for 4 times',
    ],
    ['FREQ=YEARLY;BYYEARDAY=100,-1', 'Every year at 08:00, only on: days of the year 1 from the end and 100'],
    ['FREQ=YEARLY;BYDAY=20MO', 'Every year at 08:00, only on: weekdays 20th Monday'],
    [
      'FREQ=MONTHLY;BYDAY=MO,TU;BYSETPOS=1,-1',
      'Every month at 08:00, only on: weekdays Monday and Tuesday; positions among these 1 from the end and 1',
    ],
    [
      'FREQ=DAILY;BYHOUR=8,9,10,11;BYMINUTE=0,30',
      'Every day, only on: hours 8, 9, 10 and 11; minutes 0 and 30',
    ],
    [
      'FREQ=MONTHLY;BYDAY=FR;BYHOUR=9,17;BYSETPOS=-1',
      'Every month at 09:00 and 17:00, only on: weekdays Friday; positions among these 1 from the end',
    ],
  ])('falls back to the parts: %s', (rule, expected) => {
    expect(say(rule)).toBe(expected);
  });

  it('follows the habits of American English and reads as English where it has no words', () => {
    expect(say(null, '2026-11-24T20:05', 'en-US')).toBe('Once on Tuesday November 24, 2026 at 8:05 PM');
    expect(say('FREQ=YEARLY;BYMONTH=12;BYMONTHDAY=24', '2026-11-24T00:00', 'en-US')).toBe(
      'Every year on December 24 at 12:00 AM',
    );
    expect(say('FREQ=DAILY', '2026-11-24T08:00', 'ms')).toBe('Every day at 08:00');
  });

  it('shows seconds only where there are some', () => {
    expect(say('FREQ=DAILY', '2026-11-24T08:00:30')).toBe('Every day at 08:00:30');
  });
});
