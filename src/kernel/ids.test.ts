import { expect, it } from 'vitest';
import { isId, newId, randomPart } from './ids.ts';

it('ids of one process are different and in order, also within a millisecond', () => {
  const ids = Array.from({ length: 20_000 }, () => newId());
  expect(ids.every(isId)).toBe(true);
  expect(new Set(ids).size).toBe(ids.length);
  expect(ids).toEqual(ids.toSorted());
});

it('an id is a uuid of version 7 and opens with its millisecond', () => {
  const ms = Date.now() + 3_600_000;
  const id = newId(ms);
  expect(Number.parseInt(id.replace('-', '').slice(0, 12), 16)).toBe(ms);
  expect(id[14]).toBe('7');
  expect('89ab').toContain(id[19]);
});

it('random bytes are given to one caller only', () => {
  const parts = Array.from({ length: 2_000 }, () => randomPart(16));
  const before = parts.map(part => part.toString('hex'));
  parts[0]?.fill(0);
  expect(parts.slice(1).map(part => part.toString('hex'))).toEqual(before.slice(1));
  expect(new Set(before).size).toBe(parts.length);
});
