import { describe, expect, it } from 'vitest';
import { type Budget, holdOf, messagesAtOnce, messagesOpenAt, newPeopleToday, spend } from './budget.ts';
import { type Limits, limitsOf, newPeopleAt } from './limits.ts';

const DAY = 86_400_000;
const NOW = Date.UTC(2030, 0, 15, 8);
const LIMITS: Limits = {
  messagesPerMinute: 10,
  burst: 5,
  groupsPerMinute: 6,
  groupBurst: 4,
  newPeoplePerDay: 30,
  warmUpDays: 14,
  warmUpFrom: 5,
};
const FRESH: Budget = {
  warmSince: NOW - 30 * DAY,
  messagesAt: null,
  groupsAt: null,
  dayFrom: null,
  newPeople: 0,
};
const middle = () => 0.5;

/** Sends to the same kind of recipient as soon as it may, and tells at which second. */
function seconds(recipient: 'group' | 'known' | 'new', count: number, random = middle): number[] {
  const at: number[] = [];
  let budget = FRESH;
  for (let now = NOW; at.length < count; ) {
    const spent = spend(budget, LIMITS, [recipient], now, random);
    const [answer] = spent.answers;
    budget = spent.budget;
    if (answer === 'go') at.push(Math.round((now - NOW) / 1000));
    else if (answer) now = answer.until;
  }
  return at;
}

describe('the pace of messages', () => {
  it.each([
    ['known', 8, [0, 0, 0, 0, 0, 6, 12, 18]],
    ['group', 8, [0, 0, 0, 0, 10, 20, 30, 40]],
    ['new', 7, [0, 0, 0, 0, 0, 6, 12]],
  ] as const)(
    'to %s lets a few go at once, and keeps to its limit afterwards',
    (recipient, count, expected) => {
      expect(seconds(recipient, count)).toEqual(expected);
    },
  );

  it('draws each gap, from half to one and a half of the average', () => {
    expect(seconds('known', 12, () => 0)).toEqual([0, 0, 0, 0, 0, 0, 0, 0, 0, 3, 6, 9]);
    expect(seconds('known', 8, () => 0.999)).toEqual([0, 0, 0, 3, 12, 21, 30, 39]);
  });

  it('keeps to the limit over an hour, whatever is drawn', () => {
    let seed = 7;
    const random = () => {
      seed = (seed * 16_807) % 2_147_483_647;
      return seed / 2_147_483_647;
    };
    const at = seconds('known', 600, random);
    expect(at.at(-1)).toBeGreaterThan(3_400);
    expect(at.at(-1)).toBeLessThan(3_800);
    expect(new Set(at.slice(5).map((second, n, all) => second - (all[n - 1] ?? 0))).size).toBeGreaterThan(5);
  });

  it('tells how many may go at once, and from when on the next', () => {
    const { budget } = spend(FRESH, LIMITS, ['known', 'known', 'known'], NOW, middle);
    expect(messagesAtOnce(FRESH, LIMITS, NOW)).toBe(5);
    expect(messagesAtOnce(budget, LIMITS, NOW)).toBe(2);
    const spent = spend(budget, LIMITS, ['known', 'known', 'known'], NOW, middle);
    expect(spent.answers).toEqual(['go', 'go', { hold: 'pacing', until: NOW + 6_000 }]);
    expect(messagesAtOnce(spent.budget, LIMITS, NOW)).toBe(0);
    expect(messagesOpenAt(spent.budget, LIMITS)).toBe(NOW + 6_000);
    expect(messagesAtOnce(spent.budget, LIMITS, NOW + 60_000)).toBe(5);
  });

  it('holds back a group and lets a person go', () => {
    const { budget } = spend(FRESH, LIMITS, ['group', 'group', 'group', 'group'], NOW, middle);
    expect(spend(budget, LIMITS, ['group', 'known'], NOW, middle).answers).toEqual([
      { hold: 'pacing', until: NOW + 10_000 },
      'go',
    ]);
  });
});

describe('new people', () => {
  it.each([
    [0, 5],
    [1, 5],
    [2, 6],
    [6, 14],
    [13, 28],
    [14, 30],
    [300, 30],
  ])('on day %i after pairing may be %i', (day, expected) => {
    expect(newPeopleAt(LIMITS, NOW - day * DAY, NOW)).toBe(expected);
  });

  it.each([
    [{ new_people_per_day: 3 }, 3],
    [{ new_people_per_day: 0 }, 0],
    [{ warm_up_days: 0 }, 30],
    [{ new_people_per_day: 150 }, 10],
  ])('follow what people have set: %o', (settings, expected) => {
    expect(newPeopleAt(limitsOf(LIMITS, settings), NOW, NOW)).toBe(expected);
  });

  it('wait until a day has passed since the first of them, while known ones go on', () => {
    const limits = limitsOf(LIMITS, { new_people_per_day: 2 });
    const spent = spend(FRESH, limits, ['new', 'new', 'new', 'known'], NOW, middle);
    expect(spent.answers).toEqual(['go', 'go', { hold: 'new_people', until: NOW + DAY }, 'go']);
    expect(newPeopleToday(spent.budget, NOW + DAY - 1)).toBe(2);
    expect(holdOf(spent.budget, limits, 'new', NOW + DAY - 1)).toMatchObject({ hold: 'new_people' });
    expect(holdOf(spent.budget, limits, 'new', NOW + DAY)).toBeUndefined();
    expect(newPeopleToday(spent.budget, NOW + DAY)).toBe(0);
  });
});
