import { describe, expect, it } from 'vitest';
import { Turns } from './turns.ts';

describe('turns', () => {
  it('come one at a time, in the order of asking', async () => {
    const turns = new Turns();
    const order: string[] = [];
    const work = async (name: string) => {
      const end = await turns.take();
      order.push(`${name} starts`);
      await new Promise(resolve => setImmediate(resolve));
      order.push(`${name} ends`);
      end();
    };
    await Promise.all(['a', 'b', 'c'].map(work));
    expect(order).toEqual(['a starts', 'a ends', 'b starts', 'b ends', 'c starts', 'c ends']);
  });

  it('end once, however often that is said', async () => {
    const turns = new Turns();
    const first = await turns.take();
    const second = turns.take();
    let third = false;
    void turns.take().then(() => {
      third = true;
    });
    first();
    first();
    await second;
    await new Promise(resolve => setImmediate(resolve));
    expect(third).toBe(false);
  });

  it('are all refused after a fault', async () => {
    const turns = new Turns();
    await turns.take();
    const waiting = turns.take();
    turns.refuse(new Error('broken'));
    await expect(waiting).rejects.toThrow('broken');
    await expect(turns.take()).rejects.toThrow('broken');
  });

  it('are still given to those who wait when it ends', async () => {
    const turns = new Turns();
    const end = await turns.take();
    const waiting = turns.take();
    const ended = turns.end(new Error('closed'));
    await expect(turns.take()).rejects.toThrow('closed');
    end();
    (await waiting)();
    await expect(ended).resolves.toBeUndefined();
  });
});
