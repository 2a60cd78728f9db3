import { describe, expect, it } from 'vitest';
import type { Pacing } from './api.ts';
import { changeOf, faultsOf, isYoung } from './limits.ts';

const ADVISED = { messages_per_minute: 10, groups_per_minute: 6, new_people_per_day: 30, warm_up_days: 14 };
const PACING: Pacing = {
  channel_id: 'c',
  settings: { ...ADVISED, messages_per_minute: 5 },
  advised: ADVISED,
  bounds: {
    messages_per_minute: { least: 1, most: 30 },
    groups_per_minute: { least: 1, most: 20 },
    new_people_per_day: { least: 0, most: 200 },
    warm_up_days: { least: 0, most: 60 },
  },
  today: { new_people: 2, new_people_limit: 5, until: null },
  next_at: null,
  restriction: null,
  waiting: 0,
  version: 1,
};

describe('what is typed as the pace', () => {
  it.each([
    [{ messages_per_minute: 31 }, ['messages_per_minute']],
    [{ messages_per_minute: 0, warm_up_days: 61 }, ['messages_per_minute', 'warm_up_days']],
    [{ groups_per_minute: '' }, ['groups_per_minute']],
    [{ new_people_per_day: 2.5 }, ['new_people_per_day']],
    [{ new_people_per_day: 0, warm_up_days: 0 }, []],
  ])('keeps to the bounds: %j', (typed, faults) => {
    expect(Object.keys(faultsOf({ ...PACING.settings, ...typed }, PACING.bounds))).toEqual(faults);
  });

  it('sends only what is different, and goes back to the advice where it agrees with it', () => {
    expect(changeOf(PACING.settings, PACING)).toEqual({});
    expect(changeOf({ ...PACING.settings, warm_up_days: 30 }, PACING)).toEqual({ warm_up_days: 30 });
    expect(changeOf({ ...PACING.settings, messages_per_minute: 10 }, PACING)).toEqual({
      messages_per_minute: null,
    });
  });
});

it('is young while it may write to fewer new people than its limit says', () => {
  expect(isYoung(PACING)).toBe(true);
  expect(isYoung({ ...PACING, today: { ...PACING.today, new_people_limit: 30 } })).toBe(false);
});
