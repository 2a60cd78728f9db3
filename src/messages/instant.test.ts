import { describe, expect, it } from 'vitest';
import { systemClock } from '../kernel/index.ts';
import { untilInstant } from './instant.ts';

/** A clock whose two hands start at 0 and move as told with each wait. */
function clockOf(step: (ms: number) => { wall: number; steady: number }) {
  const hands = { wall: 0, steady: 0 };
  const move = (ms: number, then: () => void) => {
    const by = step(ms);
    hands.wall += by.wall;
    hands.steady += by.steady;
    queueMicrotask(then);
    return () => undefined;
  };
  const clock = {
    ...systemClock,
    now: () => new Date(Math.floor(hands.wall)),
    monotonic: () => hands.steady,
    after: (ms: number, then: () => void) => move(ms, then),
    soon: (then: () => void) => move(0.2, then),
  } as typeof systemClock;
  return { clock, hands };
}

describe('waiting for an instant', () => {
  it('ends not a moment before it by the wall clock, also when that runs slow', async () => {
    const { clock, hands } = clockOf(ms => ({ wall: ms * 0.99, steady: ms }));
    await untilInstant(clock, new Date(1_000));
    expect(hands.wall).toBeGreaterThanOrEqual(1_000);
    expect(hands.wall).toBeLessThan(1_002);
  });

  it('is not held up by a wall clock that is set back', async () => {
    let set = false;
    const { clock, hands } = clockOf(ms => {
      const back = set ? 0 : 3_600_000;
      set = true;
      return { wall: ms - back, steady: ms };
    });
    await untilInstant(clock, new Date(1_000));
    expect(hands.steady).toBeLessThan(1_010);
  });

  it('ends at once when it has passed', async () => {
    const { clock, hands } = clockOf(ms => ({ wall: ms, steady: ms }));
    await untilInstant(clock, new Date(0));
    expect(hands.steady).toBe(0);
  });
});
