import { describe, expect, it } from 'vitest';
import { holdsFarTooMany, type Peer, sharesOf } from './spread.ts';

const peer = (bootId: string, held: number, limit = 150): Peer => ({ bootId, held, limit });
const counts = (shares: Map<string, string>) => {
  const all: Record<string, number> = {};
  for (const bootId of shares.values()) all[bootId] = (all[bootId] ?? 0) + 1;
  return all;
};
const channels = (many: number) => Array.from({ length: many }, (_, index) => `c${index}`);

describe('the shares of free channels', () => {
  it('go to the idlest first and even out the loads', () => {
    expect(counts(sharesOf(channels(10), [peer('a', 4), peer('b', 0), peer('c', 1)]))).toEqual({
      a: 1,
      b: 5,
      c: 4,
    });
  });

  it('are the same whoever works them out', () => {
    const peers = [peer('a', 2), peer('b', 2), peer('c', 2)];
    expect(sharesOf(channels(7), peers)).toEqual(sharesOf(channels(7), peers.toReversed()));
  });

  it('never go beyond the limit of a node', () => {
    const shares = sharesOf(channels(5), [peer('a', 148), peer('b', 1, 2), peer('c', 0, 0)]);
    expect(counts(shares)).toEqual({ a: 2, b: 1 });
    expect([...shares.keys()]).toEqual(['c0', 'c1', 'c2']);
  });
});

describe('a node that holds far too many', () => {
  it.each([
    { held: [100, 0], farTooMany: true },
    { held: [78, 22], farTooMany: true },
    { held: [77, 23], farTooMany: false },
    { held: [5, 0], farTooMany: false },
    { held: [6, 0], farTooMany: false },
    { held: [9, 0], farTooMany: true },
    { held: [9], farTooMany: false },
    { held: [30, 0, 0], farTooMany: true },
  ])('$held: $farTooMany', ({ held, farTooMany }) => {
    const peers = held.map((count, index) => peer(`n${index}`, count));
    expect(holdsFarTooMany('n0', peers)).toBe(farTooMany);
  });

  it('keeps them when nobody else has room', () => {
    expect(holdsFarTooMany('a', [peer('a', 100), peer('b', 3, 3)])).toBe(false);
  });

  it('stops handing over long before the other one would hand back', () => {
    const loads = { a: 60, b: 0 };
    const peers = () => [peer('a', loads.a), peer('b', loads.b)];
    for (let moves = 0; holdsFarTooMany('a', peers()) && moves < 60; moves++) {
      loads.a -= 1;
      loads.b += 1;
    }
    expect(holdsFarTooMany('b', peers())).toBe(false);
    expect(loads.b).toBeLessThan(loads.a);
  });
});
