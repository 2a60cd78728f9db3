import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type TestKernel, testEngine, testKernel } from '../../test/harness/database.ts';
import { until } from '../../test/harness/until.ts';
import { inWorkspace, running } from './database/database.ts';
import { newId } from './ids.ts';
import { mintScope } from './scope.ts';
import { wakeAfterCommit } from './wake.ts';

let one: TestKernel;
let two: TestKernel;
let alone: TestKernel;

beforeAll(async () => {
  one = await testKernel();
  two = await testKernel({ database: one.database });
  alone = await testKernel();
});
afterAll(async () => {
  await alone.close();
  await two.close();
  await one.close();
});

const scope = () => mintScope(alone, newId(), { kind: 'system' });

describe('wake', () => {
  it('wakes after the commit, once, and outside the transaction', async () => {
    const heard: unknown[] = [];
    const off = alone.wake.on('topic', detail => heard.push([detail, running()]));
    await inWorkspace(scope(), async () => {
      for (let i = 0; i < 5; i++) wakeAfterCommit('topic', 'x');
      await new Promise(resolve => setTimeout(resolve, 20));
      expect(heard).toEqual([]);
    });
    await until(() => heard.length > 0);
    expect(heard).toEqual([['x', undefined]]);
    off();
  });

  it('does not wake after a rollback', async () => {
    const heard: string[] = [];
    const off = alone.wake.on('rolled', detail => heard.push(detail));
    const failed = inWorkspace(scope(), async () => {
      wakeAfterCommit('rolled', 'lost');
      throw new Error('roll back');
    });
    await expect(failed).rejects.toThrow('roll back');
    await inWorkspace(scope(), async () => wakeAfterCommit('rolled', 'kept'));
    await until(() => heard.length > 0);
    expect(heard).toEqual(['kept']);
    off();
  });

  it.runIf(testEngine() !== 'embedded')('wakes the other nodes, in few notifications', async () => {
    const heard: string[] = [];
    let notifications = 0;
    const off = two.wake.on('far', detail => heard.push(detail));
    const deaf = await two.database.engine.listen('convoke', () => {
      notifications += 1;
    });
    for (let i = 0; i < 40; i++) one.wake.publish('far', String(i));
    await until(() => new Set(heard).size === 40);
    expect(notifications).toBeLessThanOrEqual(2);
    off();
    await deaf();
  });

  it.runIf(testEngine() !== 'embedded')('tells of a crowd of details as "look for yourself"', async () => {
    const heard: string[] = [];
    const off = two.wake.on('crowd', detail => heard.push(detail));
    for (let i = 0; i < 5_000; i++) one.wake.publish('crowd', String(i));
    await until(() => heard.includes(''));
    expect(heard.length).toBeLessThan(200);
    off();
  });

  it('goes on when a listener throws', async () => {
    const heard: string[] = [];
    const offs = [
      one.wake.on('faulty', () => {
        throw new Error('listener');
      }),
      one.wake.on('faulty', detail => heard.push(detail)),
    ];
    one.wake.publish('faulty', 'a');
    await until(() => heard.length === 1);
    expect(heard).toEqual(['a']);
    for (const off of offs) off();
  });
});
