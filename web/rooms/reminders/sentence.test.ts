import { expect, it } from 'vitest';
import { namesTogether, sentenceOf } from './sentence.ts';

it('says the whole reminder', () => {
  const plan = {
    when: 'Every Monday at 08:00',
    next: '2026-11-30T08:00:00',
    zone: undefined,
    names: ['3A', '3B'],
  };
  expect(sentenceOf(plan)).toMatch(/^Every Monday at 08:00 to 3A and 3B, next on Monday.*30.*8:00.*\.$/);
  expect(sentenceOf({ ...plan, next: undefined, zone: 'America/New_York' })).toBe(
    'Every Monday at 08:00 (America/New York) to 3A and 3B.',
  );
  expect(sentenceOf({ when: undefined, next: undefined, zone: undefined, names: [] })).toBe(
    'At a time to be chosen to nobody yet.',
  );
});

it('names three at most', () => {
  expect(namesTogether(['A', 'B', 'C'])).toBe('A, B and C');
  expect(namesTogether(['A', 'B', 'C', 'D', 'E'])).toBe('A, B and 3 others');
});
