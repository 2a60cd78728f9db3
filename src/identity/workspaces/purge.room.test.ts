import { sql } from 'kysely';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { z } from 'zod';
import { type TestKernel, testKernel } from '../../../test/harness/database.ts';
import { until } from '../../../test/harness/until.ts';
import { addJob, createJobs, type Jobs } from '../../kernel/index.ts';
import { registerPurgeJob } from './purge.ts';
import { createWorkspace, PURGE_JOB } from './workspaces.ts';

let kernel: TestKernel;
let jobs: Jobs;

beforeAll(async () => {
  kernel = await testKernel();
  jobs = createJobs(kernel);
});
afterAll(async () => {
  await jobs.stop();
  await kernel.close();
});

it('many purges leave room for the other jobs of a node: it works on one at a time, and each has its turn', async () => {
  const ids = await Promise.all(
    [1, 2, 3, 4, 5].map(n => createWorkspace(kernel, { slug: `going-${n}`, name: 'Going' })),
  );
  const asked = new Set<string>();
  const held = Promise.withResolvers<void>();
  let [atOnce, most, other] = [0, 0, false];
  const release = async ({ workspaceId }: { workspaceId: string }) => {
    asked.add(workspaceId);
    most = Math.max(most, ++atOnce);
    await held.promise;
    atOnce -= 1;
    return false;
  };
  registerPurgeJob(jobs, kernel, release, { lookMs: 20 });
  jobs.handle('test.other', { payload: z.object({}) }, async () => {
    other = true;
  });
  await kernel.database.inEngine('test.purges', async tx => {
    await sql`update workspaces set deletion_due_at = now()`.execute(tx);
    for (const id of ids) await addJob(tx, PURGE_JOB, { workspace_id: id });
    await addJob(tx, 'test.other', {});
  });
  jobs.start();
  await until(() => other && asked.size > 0);
  expect([most, asked.size]).toEqual([1, 1]);
  held.resolve();
  const turns = setInterval(() => kernel.wake.publish('jobs', ''), 20);
  await until(() => asked.size === ids.length).finally(() => clearInterval(turns));
  expect(most).toBe(1);
});
