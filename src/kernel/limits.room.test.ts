import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type TestKernel, testKernel } from '../../test/harness/database.ts';
import type { Tx } from './database/database.ts';
import { AppError } from './errors.ts';
import { addHits, type Limit, purgeLimits, spend } from './limits.ts';

const HOUR_MS = 3_600_000;
/** So long that now lies in the middle of the second window since 1970, and stays there. */
const AGE_MS = Math.round(Date.now() / 1.5);

let kernel: TestKernel;

beforeAll(async () => {
  kernel = await testKernel();
});
afterAll(() => kernel.close());
beforeEach(() => engine(tx => tx.deleteFrom('limit_hits').execute()));

function engine<T>(work: (tx: Tx) => Promise<T>): Promise<T> {
  return kernel.database.inEngine('test.limits', work);
}

function limit(key: string, most: number, windowMs = HOUR_MS): Limit {
  return { name: 'test', key, most, windowMs };
}

/** Undefined when it passed. */
async function refusal(...limits: Limit[]): Promise<AppError | undefined> {
  try {
    await engine(tx => spend(tx, limits));
  } catch (error) {
    if (error instanceof AppError) return error;
    throw error;
  }
  return undefined;
}

async function hitsOf(key: string): Promise<number> {
  const rows = await engine(tx =>
    tx.selectFrom('limit_hits').select('hits').where('key', '=', `test:${key}`).execute(),
  );
  return rows[0]?.hits ?? 0;
}

/** As if so much had been counted in the window that began then. */
function counted(key: string, windowAt: Date, hits: number, before = 0) {
  return engine(tx =>
    tx
      .insertInto('limit_hits')
      .values({ key: `test:${key}`, window_at: windowAt, hits, hits_before: before })
      .execute(),
  );
}

describe('a limit', () => {
  it('lets so many through, and says when to come back', async () => {
    for (let i = 0; i < 3; i++) expect(await refusal(limit('a', 3))).toBeUndefined();
    const refused = await refusal(limit('a', 3));
    expect(refused).toMatchObject({ code: 'rate_limited', status: 429, extra: { limit: 'test' } });
    const seconds = refused?.extra?.retry_after_s as number;
    expect(seconds).toBeGreaterThan(0);
    expect(seconds).toBeLessThanOrEqual(2 * 3_600);
    expect(await hitsOf('a')).toBe(3);
  });

  it('counts for each key and each name apart', async () => {
    await refusal(limit('a', 1));
    expect(await refusal(limit('a', 1))).toBeDefined();
    expect(await refusal(limit('b', 1))).toBeUndefined();
    expect(await refusal({ ...limit('a', 1), name: 'other' })).toBeUndefined();
  });

  it('lets what was counted in the window before fade with time', async () => {
    await counted('a', new Date(0), 10);
    // Half of it still lies within the window.
    expect(await refusal(limit('a', 5, AGE_MS))).toBeDefined();
    expect(await refusal(limit('a', 6, AGE_MS))).toBeUndefined();
    expect(await refusal(limit('a', 6, AGE_MS))).toBeDefined();
    expect(await refusal(limit('a', 7, AGE_MS))).toBeUndefined();
  });

  it('forgets what is older than that', async () => {
    const window = Math.round(Date.now() / 2.5);
    await counted('a', new Date(0), 10, 10);
    expect(await refusal(limit('a', 1, window))).toBeUndefined();
  });

  it('says how long the window before still fills it', async () => {
    await counted('a', new Date(0), 10);
    const refused = await refusal(limit('a', 5, AGE_MS));
    // 4 and one more fit once 40 % of the window before are left: 10 % of a window from now.
    expect(refused?.extra?.retry_after_s).toBeGreaterThan((0.099 * AGE_MS) / 1_000);
    expect(refused?.extra?.retry_after_s).toBeLessThan((0.101 * AGE_MS) / 1_000);
  });

  it('that allows nothing lets nothing through', async () => {
    expect(await refusal(limit('a', 0))).toMatchObject({ extra: { retry_after_s: 3_600 } });
  });
});

describe('several limits', () => {
  it('are all spent or none', async () => {
    await refusal(limit('narrow', 1));
    expect(await refusal(limit('wide', 9), limit('narrow', 1))).toBeDefined();
    expect(await hitsOf('wide')).toBe(0);
    expect(await refusal(limit('wide', 9), limit('other', 1))).toBeUndefined();
    expect([await hitsOf('wide'), await hitsOf('other')]).toEqual([1, 1]);
  });

  it('are given back too when the transaction goes on and commits', async () => {
    await refusal(limit('narrow', 1));
    await engine(async tx => {
      await expect(spend(tx, [limit('wide', 9), limit('narrow', 1)])).rejects.toMatchObject({ status: 429 });
    });
    expect([await hitsOf('wide'), await hitsOf('narrow')]).toEqual([0, 1]);
  });

  it('name the one that lasts longest', async () => {
    const [short, long] = [limit('s', 0, 1_000), { ...limit('l', 0, HOUR_MS), name: 'long' }];
    expect(await refusal(short, long)).toMatchObject({ extra: { limit: 'long', retry_after_s: 3_600 } });
  });
});

describe('many at once', () => {
  it('never get more than the limit, in whatever order they name their limits', async () => {
    const [shared, own] = [limit('shared', 7), (n: number) => limit(`own-${n}`, 5)];
    const tries = Array.from({ length: 40 }, (_, n) =>
      n % 2 === 0 ? refusal(shared, own(n % 4)) : refusal(own(n % 4), shared),
    );
    const refused = (await Promise.all(tries)).filter(one => one !== undefined);
    expect(refused).toHaveLength(33);
    expect(await hitsOf('shared')).toBe(7);
    const own4 = await Promise.all([0, 1, 2, 3].map(n => hitsOf(`own-${n}`)));
    expect(own4.reduce((sum, hits) => sum + hits)).toBe(7);
  });
});

describe('what nodes have counted by themselves', () => {
  const add = async (at: number, hits: number) => {
    const all = await engine(tx => addHits(tx, [{ key: 'api', at, hits }], HOUR_MS));
    return all.get('api');
  };
  const now = 1_000 * HOUR_MS;

  it('is added up, also when it comes late, and moves on with the windows', async () => {
    expect(await add(now, 2)).toEqual({ at: now, hits: 2, before: 0 });
    expect(await add(now, 3)).toEqual({ at: now, hits: 5, before: 0 });
    expect(await add(now + HOUR_MS, 1)).toEqual({ at: now + HOUR_MS, hits: 1, before: 5 });
    expect(await add(now, 4)).toEqual({ at: now + HOUR_MS, hits: 1, before: 9 });
    expect(await add(now - HOUR_MS, 7)).toEqual({ at: now + HOUR_MS, hits: 1, before: 9 });
    expect(await add(now + 5 * HOUR_MS, 1)).toEqual({ at: now + 5 * HOUR_MS, hits: 1, before: 0 });
  });

  it('is not lost when many add at once', async () => {
    await Promise.all(Array.from({ length: 10 }, () => add(now, 2)));
    expect(await add(now, 1)).toMatchObject({ hits: 21 });
  });
});

describe('old counts', () => {
  it('are forgotten, current ones are not', async () => {
    await counted('old', new Date(Date.now() - 3 * 86_400_000), 1);
    await refusal(limit('new', 5));
    await engine(purgeLimits);
    expect([await hitsOf('old'), await hitsOf('new')]).toEqual([0, 1]);
  });
});
