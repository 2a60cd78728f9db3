import { describe, expect, it } from 'vitest';
import { refuseSmallMemory } from './memory.ts';

describe('memory for the embedded database', () => {
  it('is refused below 1 GiB, with what to do', () => {
    expect(() => refuseSmallMemory(512 * 1024 ** 2)).toThrow(/allows 512 MiB.*DATABASE_URL/);
  });

  it('suffices from 1 GiB on', () => {
    expect(() => refuseSmallMemory(1024 ** 3)).not.toThrow();
  });
});
