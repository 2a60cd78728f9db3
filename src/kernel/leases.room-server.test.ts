import { sql } from 'kysely';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type TestDatabase, type TestKernel, testDatabase, testKernel } from '../../test/harness/database.ts';
import { startTcpProxy, type TcpProxy } from '../../test/harness/tcp-proxy.ts';
import { until } from '../../test/harness/until.ts';
import { Database } from './database/database.ts';
import { openPostgres } from './database/postgres.ts';
import { newId } from './ids.ts';
import { assertFence, createLeases, type Lease, type Leases } from './leases.ts';

const SHORT = { ttlMs: 1_500, renewMs: 300, marginMs: 500, graceMs: 100 };

let ground: TestDatabase;
let near: TestKernel;
let far: TestKernel;
let proxy: TcpProxy;
let mine: Leases;
let others: Leases;

beforeAll(async () => {
  ground = await testDatabase();
  near = await testKernel({ database: ground.database });
});
afterAll(async () => {
  await near.close();
  await ground.close();
});
beforeEach(async () => {
  proxy = await startTcpProxy({ port: Number(new URL(ground.url ?? '').port) });
  const url = proxy.through(ground.url ?? '');
  const engine = openPostgres({ url, poolSize: 2, deadlineMs: 2_000, idleMs: 500, onFault: () => undefined });
  far = await testKernel({ database: new Database(engine, 'roles') });
  mine = createLeases(far, SHORT);
  others = createLeases(near, SHORT);
});
afterEach(async () => {
  proxy.mend();
  await Promise.all([mine.stop(), others.stop()]);
  await far.close();
  await far.database.close();
  await proxy.close();
});

async function take(leases: Leases, name: string): Promise<Lease> {
  const lease = await leases.acquire(name);
  if (!lease) throw new Error('Nothing was acquired.');
  return lease;
}

const expiry = (name: string) =>
  near.database.inEngine('test.expiry', async tx => {
    const { rows } = await sql<{ left: number }>`
      select (extract(epoch from expires_at - clock_timestamp()) * 1000)::float8 as left from leases where name = ${name}
    `.execute(tx);
    return rows[0]?.left ?? 0;
  });

describe('leases over a link that falls silent', () => {
  it('end here before they end there, are taken over after that, and are had again once it is mended', async () => {
    const name = newId();
    const lease = await take(mine, name);
    const leftAtEnd = new Promise<number>(resolve => {
      lease.lost.addEventListener('abort', () => resolve(expiry(name)));
    });
    proxy.blackhole();
    const taken = await until(() => others.acquire(name), { every: 20 });
    expect(await leftAtEnd).toBeGreaterThan(SHORT.marginMs / 2);
    expect(taken.fence).toBe(lease.fence + 1);
    expect(mine.trouble()).toBeDefined();
    proxy.mend();
    await taken.release();
    const again = await until(() => mine.acquire(name).catch(() => undefined), { every: 20 });
    expect(again.fence).toBe(taken.fence + 1);
    await until(() => mine.trouble() === undefined);
  });

  it('are kept when all other connections of the node are in use', async () => {
    const name = newId();
    const lease = await take(mine, name);
    const done = Promise.withResolvers<void>();
    const busy = [1, 2].map(() =>
      far.database.inEngine('test.busy', async tx => {
        for (let i = 0; i < 25; i++) await sql`select pg_sleep(0.1)`.execute(tx);
        await done.promise;
      }),
    );
    const end = performance.now() + SHORT.ttlMs * 1.5;
    while (performance.now() < end) {
      expect(await others.acquire(name)).toBeUndefined();
      await new Promise(resolve => setTimeout(resolve, 100));
    }
    expect(lease.held()).toBe(true);
    done.resolve();
    await Promise.all(busy);
  });
});

describe('a transaction that has proved its lease', () => {
  const proving = (lease: Lease, work: () => Promise<unknown>) =>
    far.database.inEngine('test.prove', async tx => {
      await assertFence(tx, lease);
      // The server would end a transaction in which it hears nothing.
      const pulse = setInterval(() => void sql`select 1`.execute(tx), 100);
      await work().finally(() => clearInterval(pulse));
    });

  it('does not hold up the renewal', async () => {
    const name = newId();
    const lease = await take(mine, name);
    await proving(lease, () => new Promise(resolve => setTimeout(resolve, SHORT.ttlMs * 1.2)));
    expect(lease.held()).toBe(true);
    expect(await expiry(name)).toBeGreaterThan(0);
  });

  it('is over before somebody else has the lease', async () => {
    const name = newId();
    const lease = await take(mine, name);
    const order: string[] = [];
    await proving(lease, async () => {
      await near.database.inEngine('test.expire', tx =>
        tx
          .updateTable('leases')
          .set({ expires_at: new Date(0) })
          .where('name', '=', name)
          .execute(),
      );
      expect(await others.acquire(name)).toBeUndefined();
      order.push('written');
    });
    await take(others, name);
    order.push('taken');
    expect(order).toEqual(['written', 'taken']);
  });

  it('holds nobody up for long when its node falls silent', async () => {
    const name = newId();
    const lease = await take(mine, name);
    const silent = far.database.inEngine('test.silent', async tx => {
      await assertFence(tx, lease);
      proxy.blackhole();
      await sql`select 1`.execute(tx);
    });
    await expect(silent).rejects.toThrow('did not answer');
    const from = performance.now();
    await until(() => others.acquire(name), { every: 20 });
    expect(performance.now() - from).toBeLessThan(SHORT.ttlMs);
  });
});

describe('a lease whose answer was lost', () => {
  it('is had at once also when its row was busy at the first try after that', async () => {
    let lost = 1;
    const { inEngine } = near.database;
    const database = new Proxy(near.database, {
      get: (target, key) => {
        if (key !== 'inEngine') return Reflect.get(target, key, target);
        const losing: typeof inEngine = async (...given) => {
          const answer = await target.inEngine(...given);
          if (given[0] === 'leases.acquire' && lost-- > 0) throw new Error('the answer was lost');
          return answer;
        };
        return losing;
      },
    });
    const patient = createLeases({ ...near, database }, { ...SHORT, ttlMs: 60_000 });
    const name = newId();
    await expect(patient.acquire(name)).rejects.toThrow('lost');
    await near.database.inEngine('test.busy', async tx => {
      await sql`select from leases where name = ${name} for key share`.execute(tx);
      expect(await patient.acquire(name)).toBeUndefined();
    });
    expect((await take(patient, name)).fence).toBe(2);
    await patient.stop();
  });
});
