import { describe, expect, it } from 'vitest';
import { groupCommit } from './group-commit.ts';

/** A flush that waits to be let through, and remembers its batches. */
function gate() {
  const batches: number[][] = [];
  const open: (() => void)[] = [];
  const flush = async (items: number[]) => {
    batches.push(items);
    await new Promise<void>(resolve => open.push(resolve));
    return items.map(item => item * 10);
  };
  return { batches, open, flush };
}

const turn = () => new Promise(resolve => setImmediate(resolve));

describe('group commit', () => {
  it('stores a lone item at once and all that arrived meanwhile with the next flush', async () => {
    const { batches, open, flush } = gate();
    const commit = groupCommit(flush, { max: 3 });
    const first = commit.add(1);
    await turn();
    const rest = [2, 3, 4, 5].map(item => commit.add(item));
    await turn();
    expect(batches).toEqual([[1]]);
    open[0]?.();
    expect(await first).toBe(10);
    await turn();
    expect(batches).toEqual([[1], [2, 3, 4]]);
    open[1]?.();
    await turn();
    open[2]?.();
    expect(await Promise.all(rest)).toEqual([20, 30, 40, 50]);
    await commit.idle();
  });

  it('answers nobody before the commit of the own flush', async () => {
    const { open, flush } = gate();
    const commit = groupCommit(flush, { max: 10 });
    let answered = false;
    const item = commit.add(1).then(() => {
      answered = true;
    });
    await turn();
    expect(answered).toBe(false);
    open[0]?.();
    await item;
    expect(answered).toBe(true);
  });

  it('lets one bad item fail alone', async () => {
    const commit = groupCommit<number, number>(
      async items => {
        if (items.includes(3)) throw Object.assign(new Error('bad'), { code: '22P02' });
        return items;
      },
      { max: 10 },
    );
    const settled = await Promise.allSettled([1, 2, 3, 4, 5].map(item => commit.add(item)));
    expect(settled.map(result => result.status)).toEqual([
      'fulfilled',
      'fulfilled',
      'rejected',
      'fulfilled',
      'fulfilled',
    ]);
  });

  it('fails the whole batch, once, when the database is away, and goes on after that', async () => {
    let calls = 0;
    const commit = groupCommit<number, number>(
      async items => {
        calls += 1;
        if (calls === 1) throw new Error('connection refused');
        return items;
      },
      { max: 10 },
    );
    const settled = await Promise.allSettled([1, 2, 3].map(item => commit.add(item)));
    expect(settled.every(result => result.status === 'rejected')).toBe(true);
    expect(calls).toBe(1);
    expect(await commit.add(4)).toBe(4);
  });

  it('refuses more than its bound with 503', async () => {
    const { open, flush } = gate();
    const commit = groupCommit(flush, { max: 1, bound: 2 });
    const taken = [1, 2].map(item => commit.add(item));
    await expect(commit.add(3)).rejects.toMatchObject({ status: 503 });
    for (const [index, item] of taken.entries()) {
      await turn();
      open[index]?.();
      await item;
    }
  });
});
