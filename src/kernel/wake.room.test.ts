import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type TestKernel, testKernel } from '../../test/harness/database.ts';
import { until } from '../../test/harness/until.ts';
import { inWorkspace, running } from './database/database.ts';
import { newId } from './ids.ts';
import { mintScope } from './scope.ts';
import { wakeAfterCommit } from './wake.ts';

let alone: TestKernel;

beforeAll(async () => {
  alone = await testKernel();
});
afterAll(async () => {
  await alone.close();
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
});
