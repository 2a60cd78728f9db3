import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Restriction, type TimeLock } from './restriction.ts';

const HOUR_MS = 3_600_000;

function lock(isActive: boolean, until?: Date): TimeLock {
  return { isActive, timeEnforcementEnds: until } as TimeLock;
}

describe('a restriction', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  it('is asked about again when it should be over, once however often it was told', () => {
    const ask = vi.fn();
    const restriction = new Restriction(ask);
    const until = new Date(Date.now() + 10 * 60_000);
    expect(Array.from({ length: 50 }, () => restriction.told(lock(true, until)))).toEqual([
      true,
      ...Array(49).fill(false),
    ]);
    expect(vi.getTimerCount()).toBe(1);
    vi.advanceTimersByTime(10 * 60_000);
    expect(ask).toHaveBeenCalledOnce();
    expect(restriction.told(lock(false))).toBe(true);
    expect(restriction.now).toBeUndefined();
  });

  it.each([
    ['not named', undefined],
    ['not readable', new Date(Number.NaN)],
  ])('with an end that is %s is asked about in a minute', (_name, until) => {
    const ask = vi.fn();
    const restriction = new Restriction(ask);
    restriction.told(lock(true, until));
    expect(restriction.now).toEqual({ until: undefined });
    vi.advanceTimersByTime(59_999);
    expect(ask).not.toHaveBeenCalled();
    vi.advanceTimersByTime(1);
    expect(ask).toHaveBeenCalledOnce();
  });

  it('that ends in years is asked about in an hour, and not at all on a socket that is over', () => {
    const ask = vi.fn();
    const restriction = new Restriction(ask);
    restriction.told(lock(true, new Date(Date.now() + 24 * 365 * HOUR_MS)));
    vi.advanceTimersByTime(HOUR_MS);
    expect(ask).toHaveBeenCalledOnce();
    restriction.told(lock(true));
    restriction.forget();
    vi.advanceTimersByTime(24 * HOUR_MS);
    expect(ask).toHaveBeenCalledOnce();
    expect(restriction.told(lock(false))).toBe(false);
  });
});
