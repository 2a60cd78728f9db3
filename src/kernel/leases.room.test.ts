import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type TestKernel, testKernel } from '../../test/harness/database.ts';
import { until } from '../../test/harness/until.ts';
import { newId } from './ids.ts';
import type { Kernel } from './kernel.ts';
import { assertFence, createLeases, type Lease, LeaseLost, type Leases } from './leases.ts';

let one: TestKernel;
let two: TestKernel;
const opened: Leases[] = [];

beforeAll(async () => {
  one = await testKernel();
  two = await testKernel({ database: one.database });
});
afterAll(async () => {
  await two.close();
  await one.close();
});
afterEach(async () => {
  await Promise.all(opened.splice(0).map(leases => leases.stop()));
});

const SHORT = { ttlMs: 900, renewMs: 200, marginMs: 300 };

function leasesOf(kernel: Kernel, options = SHORT): Leases {
  const leases = createLeases(kernel, options);
  opened.push(leases);
  return leases;
}

const assert = (lease: Lease) => one.database.inEngine('test.assert', tx => assertFence(tx, lease));

function must<T>(value: T | undefined): T {
  if (value === undefined) throw new Error('Nothing was acquired.');
  return value;
}

describe('leases', () => {
  it('gives a lease to one of many who ask at once', async () => {
    const all = Array.from({ length: 8 }, () => leasesOf({ ...one, node: { id: 'x', bootId: newId() } }));
    const name = newId();
    const got = await Promise.all(all.map(leases => leases.acquire(name)));
    expect(got.filter(lease => lease !== undefined)).toHaveLength(1);
  });

  it('keeps a lease by renewing it, far beyond its first expiry', async () => {
    const name = newId();
    const lease = must(await leasesOf(one).acquire(name));
    const others = leasesOf(two);
    const end = performance.now() + 2_500;
    while (performance.now() < end) {
      expect(await others.acquire(name)).toBeUndefined();
      await new Promise(resolve => setTimeout(resolve, 50));
    }
    expect(lease.held()).toBe(true);
    await assert(lease);
  });

  it('lets the next holder in at once although a renewal was under way at the release', async () => {
    const asked = Promise.withResolvers<void>();
    const going = Promise.withResolvers<void>();
    const database = new Proxy(one.database, {
      get: (target, key) => {
        if (key !== 'inEngine') return Reflect.get(target, key, target);
        const inEngine: Kernel['database']['inEngine'] = async (name, work) => {
          if (name === 'leases.renew') {
            asked.resolve();
            await going.promise;
          }
          return target.inEngine(name, work);
        };
        return inEngine;
      },
    });
    const name = newId();
    const leases = leasesOf({ ...one, database }, { ttlMs: 30_000, renewMs: 50, marginMs: 5_000 });
    const first = must(await leases.acquire(name));
    await asked.promise;
    const released = first.release();
    await new Promise(resolve => setTimeout(resolve, 50));
    going.resolve();
    await released;
    await leases.stop();
    expect(must(await leasesOf(two).acquire(name)).fence).toBe(first.fence + 1);
  });

  it('lets the next holder in at once after a release, with a higher fence', async () => {
    const name = newId();
    const first = must(await leasesOf(one).acquire(name));
    await first.release();
    expect(first.held()).toBe(false);
    expect(first.lost.aborted).toBe(true);
    const second = must(await leasesOf(two).acquire(name));
    expect(second.fence).toBe(first.fence + 1);
    await assert(second);
    await expect(assert(first)).rejects.toBeInstanceOf(LeaseLost);
  });

  it('gives all back at its stop', async () => {
    const names = [newId(), newId()];
    const leases = leasesOf(one);
    for (const name of names) await leases.acquire(name);
    await leases.stop();
    const others = leasesOf(two);
    for (const name of names) expect(await others.acquire(name)).toBeDefined();
  });

  it('stops by itself before the expiry when it cannot renew, and only then is taken over', async () => {
    const name = newId();
    let cut = false;
    const database = new Proxy(one.database, {
      get: (target, key) => {
        if (key !== 'inEngine') return Reflect.get(target, key, target);
        const inEngine: Kernel['database']['inEngine'] = (room, work) =>
          cut ? Promise.reject(new Error('no network')) : target.inEngine(room, work);
        return inEngine;
      },
    });
    const lease = must(await leasesOf({ ...one, database }).acquire(name));
    cut = true;
    const lostAt = new Promise<number>(resolve => {
      lease.lost.addEventListener('abort', () => resolve(performance.now()));
    });
    const others = leasesOf(two);
    const taken = await until(() => others.acquire(name), { every: 10 });
    const takenAt = performance.now();
    expect(lease.held()).toBe(false);
    expect(await lostAt).toBeLessThan(takenAt);
    expect(taken.fence).toBe(lease.fence + 1);
    await expect(assert(lease)).rejects.toBeInstanceOf(LeaseLost);
    cut = false;
  });

  it('learns from a renewal that somebody else holds the lease by now', async () => {
    const name = newId();
    const lease = must(await leasesOf(one).acquire(name));
    await one.database.inEngine('test.steal', tx =>
      tx
        .updateTable('leases')
        .set({ holder: 'thief', fence: lease.fence + 1 })
        .where('name', '=', name)
        .execute(),
    );
    await until(() => lease.lost.aborted);
    expect(lease.held()).toBe(false);
  });
});
