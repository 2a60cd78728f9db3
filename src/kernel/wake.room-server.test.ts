import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type TestKernel, testKernel } from '../../test/harness/database.ts';
import { until } from '../../test/harness/until.ts';

let one: TestKernel;
let two: TestKernel;

beforeAll(async () => {
  one = await testKernel();
  two = await testKernel({ database: one.database });
});
afterAll(async () => {
  await two.close();
  await one.close();
});

describe('wake over several nodes', () => {
  it('wakes the other nodes, in few notifications', async () => {
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

  it('tells of a crowd of details as "look for yourself"', async () => {
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
