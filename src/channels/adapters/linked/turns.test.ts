import { describe, expect, it } from 'vitest';
import { Turns } from './turns.ts';

describe('turns', () => {
  it('run one after the other under one name, also after a failure, and side by side under two', async () => {
    const turns = new Turns();
    const said: string[] = [];
    const work = (word: string) => async () => {
      said.push(`${word} begins`);
      await Promise.resolve();
      said.push(`${word} ends`);
      if (word === 'a1') throw new Error('a1');
    };
    const [failed] = await Promise.allSettled([
      turns.run('a', work('a1')),
      turns.run('a', work('a2')),
      turns.run('b', work('b1')),
    ]);
    expect(failed.status).toBe('rejected');
    expect(said.slice(0, 2)).toEqual(['a1 begins', 'b1 begins']);
    expect(said.indexOf('a2 begins')).toBeGreaterThan(said.indexOf('a1 ends'));
  });
});
