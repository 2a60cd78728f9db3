import { describe, expect, it } from 'vitest';
import { StoreFault } from './store.ts';
import { Unheard } from './unheard.ts';

describe('a message that the library gives up', () => {
  it('is never confirmed for want of the store', () => {
    const unheard = new Unheard();
    const away = new StoreFault(new Error('The database is away.'));
    for (let n = 0; n < 20; n++)
      expect(unheard.reason('error in handling message', away)).toBe('store_unavailable');
  });

  it('is brought again five times in an hour for other reasons, and then confirmed', () => {
    const unheard = new Unheard();
    const reasons = Array.from({ length: 6 }, () => unheard.reason('Failed to send retry', new Error('odd')));
    expect(reasons).toEqual([...Array(5).fill('unexpected_end'), undefined]);
  });

  it('is not what other errors of the library are about', () => {
    const unheard = new Unheard();
    expect(unheard.reason('failed to decrypt message', new Error('Bad MAC'))).toBeUndefined();
    expect(unheard.reason(undefined, new Error('odd'))).toBeUndefined();
  });
});
