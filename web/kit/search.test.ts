import { expect, it } from 'vitest';
import { matches } from './search.ts';

it('finds words in any order, without case and accents', () => {
  expect(matches('Élèves de la 3A', 'eleves 3a')).toBe(true);
  expect(matches('Eltern Grundschule', 'schule ELTERN')).toBe(true);
  expect(matches('Eltern Grundschule', 'eltern 3a')).toBe(false);
  expect(matches('anything', '  ')).toBe(true);
});
