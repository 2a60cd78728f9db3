import { sql } from 'kysely';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { type TestKernel, testKernel, testWorkspace } from '../../test/harness/database.ts';
import { until } from '../../test/harness/until.ts';
import { inWorkspace } from './database/database.ts';
import { newId } from './ids.ts';
import { addJob, jobRows } from './job-rows.ts';
import { createJobs, HopelessJob, type JobRun, type Jobs, showJobs } from './jobs.ts';
import type { Kernel } from './kernel.ts';
import { createLogger } from './log.ts';
import { createMetrics } from './metrics.ts';
import { appearAsNode } from './node-row.ts';

let one: TestKernel;
let two: TestKernel;
const opened: Jobs[] = [];
let lines: Record<string, unknown>[] = [];

beforeAll(async () => {
  const log = createLogger('info', { write: line => void lines.push(JSON.parse(line)) });
  one = await testKernel({ log });
  two = await testKernel({ database: one.database });
});
afterAll(async () => {
  await two.close();
  await one.close();
});
beforeEach(async () => {
  lines = [];
  await one.database.inEngine('test.clear', tx => tx.deleteFrom('jobs').execute());
});
afterEach(async () => {
  await Promise.all(opened.splice(0).map(jobs => jobs.stop()));
});

const Payload = z.strictObject({ n: z.number() });
type Seen = { n: number; by: string; run: JobRun };

type Handling = {
  seen?: Seen[];
  work?: (payload: { n: number }, run: JobRun) => Promise<void>;
  mostTries?: number;
  times?: Parameters<typeof createJobs>[1];
};

/** A node that handles `test.count`, and looks by itself only once an hour. */
function worker(kernel: Kernel, { seen = [], work, mostTries = 5, times = {} }: Handling): Jobs {
  const jobs = createJobs(kernel, { pollMs: 3_600_000, ...times });
  opened.push(jobs);
  jobs.handle('test.count', { payload: Payload, mostTries, retryMs: 20 }, async (payload, run) => {
    seen.push({ n: payload.n, by: kernel.node.bootId, run });
    await work?.(payload, run);
  });
  jobs.start();
  return jobs;
}

const add = (n: number, dueAt?: Date) =>
  one.database.inEngine('test.add', tx => addJob(tx, 'test.count', { n }, dueAt));
const rows = () =>
  one.database.inEngine('test.rows', tx => tx.selectFrom('jobs').selectAll().orderBy('id').execute());
const noneLeft = () => until(async () => (await rows()).length === 0);

describe('a job', () => {
  it('runs at once after the commit of the transaction that added it, and not when that was rolled back', async () => {
    const seen: Seen[] = [];
    worker(one, { seen });
    await expect(
      one.database.inEngine('test.add', async tx => {
        await addJob(tx, 'test.count', { n: 1 });
        throw new Error('changed my mind');
      }),
    ).rejects.toThrow('changed my mind');
    await add(2);
    await noneLeft();
    expect(seen.map(({ n, run }) => [n, run.tries, run.workspaceId])).toEqual([[2, 1, undefined]]);
    expect(lines).toEqual([expect.objectContaining({ event: 'jobs.run', outcome: 'ok', job: 'test.count' })]);
  });

  it('belongs to the workspace that its transaction sees, and no other workspace sees it', async () => {
    const seen: Seen[] = [];
    const [scope, other] = [await testWorkspace(one), await testWorkspace(one)];
    await inWorkspace(scope, tx => addJob(tx, 'test.count', { n: 1 }));
    const count = (tx: Parameters<typeof addJob>[0]) => tx.selectFrom('jobs').select('id').execute();
    expect(await inWorkspace(scope, count)).toHaveLength(1);
    expect(await inWorkspace(other, count)).toEqual([]);
    worker(one, { seen });
    await noneLeft();
    expect(seen[0]?.run.workspaceId).toBe(scope.workspaceId);
  });

  it('that nobody woke anybody for is found all the same', async () => {
    worker(one, { times: { pollMs: 30 } });
    await one.database.inEngine('test.add', tx =>
      sql`insert into jobs (workspace_id, id, name, payload, due_at)
        values (${newId()}, ${newId()}, 'test.count', '{"n": 1}', now())`.execute(tx),
    );
    await noneLeft();
    expect(lines.map(line => line.outcome)).toEqual(['ok']);
  });

  it('for later waits for its instant', async () => {
    const seen: Seen[] = [];
    await add(1, new Date(Date.now() + 3_600_000));
    worker(one, { seen });
    await add(2);
    await until(async () => (await rows()).length === 1);
    expect(seen.map(({ n }) => n)).toEqual([2]);
  });

  it('that nobody here handles waits for a node that does', async () => {
    const seen: Seen[] = [];
    await one.database.inEngine('test.add', tx => addJob(tx, 'test.unknown', { n: 1 }));
    await add(2);
    worker(one, { seen });
    await until(() => seen.length === 1);
    await until(async () => (await rows()).length === 1);
    expect((await rows())[0]).toMatchObject({ name: 'test.unknown', tries: 0, dead_at: null });
  });
});

describe('a job that fails', () => {
  it('is tried again, later each time, until it succeeds', async () => {
    const seen: Seen[] = [];
    const at: number[] = [];
    worker(one, {
      seen,
      work: async (_, run) => {
        at.push(performance.now());
        if (run.tries < 4) throw new Error('not yet');
      },
    });
    await add(1);
    await noneLeft();
    expect(seen.map(({ run }) => run.tries)).toEqual([1, 2, 3, 4]);
    // Half of 20, 40 and 80 ms at least, by the database's clock.
    expect((at[3] ?? 0) - (at[0] ?? 0)).toBeGreaterThan(65);
  });

  it('is given up after its last try: logged as an error, shown, kept, and not tried again', async () => {
    const seen: Seen[] = [];
    worker(one, { seen, mostTries: 2, work: async () => Promise.reject(new Error('never')) });
    await add(1);
    await until(async () => (await rows())[0]?.dead_at);
    await add(2);
    await until(async () => (await rows()).every(row => row.dead_at !== null));
    expect(seen.map(({ n, run }) => [n, run.tries])).toEqual([
      [1, 1],
      [1, 2],
      [2, 1],
      [2, 2],
    ]);
    expect((await rows())[0]).toMatchObject({ tries: 2, error: 'never', claimed_by: null });
    expect(lines.filter(line => line.level === 'error')).toHaveLength(2);
    const metrics = createMetrics(one.log);
    showJobs(metrics, one);
    expect(await metrics.read()).toContain('convoke_jobs_dead{name="test.count"} 2');
  });

  it.each([
    ['says that no try can help', { n: 1 }, new HopelessJob('no such mailbox')],
    ['has a payload that does not fit', { n: 'one' }, undefined],
  ])('and %s is given up at once', async (_, payload, error) => {
    const seen: Seen[] = [];
    worker(one, { seen, work: async () => (error ? Promise.reject(error) : undefined) });
    await one.database.inEngine('test.add', tx => addJob(tx, 'test.count', payload));
    await until(async () => (await rows())[0]?.dead_at);
    expect(seen.length).toBe(error ? 1 : 0);
    expect(lines.map(line => [line.level, line.outcome])).toEqual([['error', 'given_up']]);
  });

  it('by taking too long is told so, and tried again', async () => {
    const seen: Seen[] = [];
    worker(one, {
      seen,
      times: { withinMs: 30 },
      work: (_, run) =>
        run.tries > 1
          ? Promise.resolve()
          : new Promise(resolve => run.signal.addEventListener('abort', () => resolve())),
    });
    await add(1);
    await noneLeft();
    expect(seen.map(({ run }) => run.tries)).toEqual([1, 2]);
    expect(seen[0]?.run.signal.aborted).toBe(true);
  });

  it('is forgotten a month after it was given up', async () => {
    await add(1);
    await add(2);
    await one.database.inEngine('test.age', tx =>
      sql`update jobs set dead_at = now() - case payload ->> 'n' when '1' then interval '31 days' else interval '29 days' end`.execute(
        tx,
      ),
    );
    worker(one, {});
    await until(async () => (await rows()).length === 1);
    expect((await rows())[0]?.payload).toEqual({ n: 2 });
  });
});

describe('nodes', () => {
  it('share the jobs, and each runs once', async () => {
    const seen: Seen[] = [];
    worker(one, { seen, times: { pollMs: 50 } });
    worker(two, { seen, times: { pollMs: 50 } });
    await one.database.inEngine('test.add', async tx => {
      for (let n = 0; n < 60; n++) await addJob(tx, 'test.count', { n });
    });
    await noneLeft();
    expect(seen.map(({ n }) => n).sort((a, b) => a - b)).toEqual(Array.from({ length: 60 }, (_, n) => n));
  });

  it('take over what a node had claimed that died, and what it says afterwards counts for nothing', async () => {
    const seen: Seen[] = [];
    await add(1);
    const dead = jobRows(one.database, newId());
    const [claimed] = await dead.claim(['test.count'], 1, 300);
    expect(claimed).toMatchObject({ tries: 1, payload: { n: 1 } });
    let finish = () => {};
    const finished = new Promise<void>(resolve => {
      finish = resolve;
    });
    worker(one, { seen, times: { pollMs: 30 }, work: () => finished });
    await until(() => seen.length === 1);
    expect(seen[0]?.run.tries).toBe(2);
    if (claimed) await dead.done(claimed);
    expect(await rows()).toHaveLength(1);
    finish();
    await noneLeft();
  });

  it('give up a job that each time took its process with it', async () => {
    const seen: Seen[] = [];
    await add(1);
    for (let death = 0; death < 3; death++) await jobRows(one.database, newId()).claim(['test.count'], 1, 0);
    worker(one, { seen, mostTries: 3 });
    await until(async () => (await rows())[0]?.dead_at);
    expect(seen).toEqual([]);
  });

  it('with a folder of their own know at the start that all others are dead', async () => {
    if (one.database.engine.kind === 'server') {
      await expectClaimsToStay();
      return;
    }
    const seen: Seen[] = [];
    await add(1);
    await jobRows(one.database, newId()).claim(['test.count'], 1, 3_600_000);
    const node = await appearAsNode(one);
    worker(one, { seen });
    await until(() => seen.length === 1);
    expect(seen[0]?.run.tries).toBe(2);
    await node.stop();
  });

  it('wait at a stop for what is running, and take nothing more', async () => {
    const seen: Seen[] = [];
    let ended = 0;
    const jobs = worker(one, {
      seen,
      work: async () => {
        await new Promise(resolve => setTimeout(resolve, 50));
        ended += 1;
      },
    });
    await add(1);
    await until(() => seen.length === 1);
    await jobs.stop();
    expect(ended).toBe(1);
    await add(2);
    await expect(until(() => seen.length === 2, { within: 100 })).rejects.toThrow('in vain');
  });

  it('do not wait for ever for what does not end', async () => {
    const seen: Seen[] = [];
    const jobs = worker(one, { seen, times: { stopMs: 30 }, work: () => new Promise(() => {}) });
    await add(1);
    await until(() => seen.length === 1);
    await jobs.stop();
    expect((await rows())[0]).toMatchObject({ claimed_by: null, dead_at: null, tries: 1 });
  });
});

/** On a server others may live. */
async function expectClaimsToStay(): Promise<void> {
  await add(1);
  const bootId = newId();
  await jobRows(one.database, bootId).claim(['test.count'], 1, 3_600_000);
  const node = await appearAsNode({ ...one, node: { id: 'x', bootId: newId() } });
  expect((await rows())[0]?.claimed_by).toBe(bootId);
  await node.stop();
}
