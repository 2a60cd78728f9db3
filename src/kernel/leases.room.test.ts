import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type TestKernel, testKernel } from '../../test/harness/database.ts';
import { until } from '../../test/harness/until.ts';
import { newId } from './ids.ts';
import type { Kernel } from './kernel.ts';
import { assertFence, createLeases, type Lease, LeaseLost, type Leases } from './leases.ts';
import { appearAsNode } from './node-row.ts';

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

const SHORT = { ttlMs: 900, renewMs: 200, marginMs: 300, graceMs: 100 };

function leasesOf(kernel: Kernel, options = SHORT): Leases {
  const leases = createLeases(kernel, options);
  opened.push(leases);
  return leases;
}

type InEngine = Kernel['database']['inEngine'];

/** The database of the first node, whose transactions go through `tamper`. */
function tampered(tamper: (inEngine: InEngine, name: string) => InEngine): Kernel['database'] {
  return new Proxy(one.database, {
    get: (target, key) => {
      if (key !== 'inEngine') return Reflect.get(target, key, target);
      const inEngine: InEngine = (name, work, patience) =>
        tamper((...given) => target.inEngine(...given), name)(name, work, patience);
      return inEngine;
    },
  });
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
    const longer = { ttlMs: 1_500, renewMs: 250, marginMs: 300, graceMs: 0 };
    const lease = must(await leasesOf(one, longer).acquire(name));
    const others = leasesOf(two, longer);
    const end = performance.now() + 2 * longer.ttlMs;
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
    const database = tampered((inEngine, name) => async (...given) => {
      if (name === 'leases.renew') {
        asked.resolve();
        await going.promise;
      }
      return inEngine(...given);
    });
    const name = newId();
    const leases = leasesOf({ ...one, database }, { ...SHORT, ttlMs: 30_000, renewMs: 50 });
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
    const database = tampered(
      inEngine =>
        (...given) =>
          cut ? Promise.reject(new Error('no network')) : inEngine(...given),
    );
    const leases = leasesOf({ ...one, database });
    const lease = must(await leases.acquire(name));
    expect(leases.trouble()).toBeUndefined();
    cut = true;
    const lostAt = new Promise<number>(resolve => {
      lease.lost.addEventListener('abort', () => resolve(performance.now()));
    });
    const others = leasesOf(two);
    const taken = await until(() => others.acquire(name), { every: 10 });
    const takenAt = performance.now();
    expect(lease.held()).toBe(false);
    expect(takenAt - (await lostAt)).toBeGreaterThan(SHORT.marginMs + SHORT.graceMs - 50);
    expect(leases.trouble()?.reason).toBe('no network');
    expect(taken.fence).toBe(lease.fence + 1);
    await expect(assert(lease)).rejects.toBeInstanceOf(LeaseLost);
    cut = false;
    await until(() => leases.trouble() === undefined);
  });

  it('knows at the first look after a long sleep that its time is over', async () => {
    const lease = must(await leasesOf(one).acquire(newId()));
    const wakesAt = performance.now() + SHORT.ttlMs;
    while (performance.now() < wakesAt);
    expect(lease.held()).toBe(false);
    expect(lease.lost.aborted).toBe(true);
  });

  it('does not trust the time that a sleeping machine did not count', async () => {
    let jumped = 0;
    const clock = { ...one.clock, now: () => new Date(Date.now() + jumped) };
    const lease = must(await leasesOf({ ...one, clock }).acquire(newId()));
    jumped = -3_600_000;
    expect(lease.held()).toBe(true);
    jumped = SHORT.ttlMs;
    expect(lease.held()).toBe(false);
  });

  it('is not brought back to life by a renewal that arrives after its end', async () => {
    const going = Promise.withResolvers<void>();
    const database = tampered((inEngine, name) => async (...given) => {
      if (name === 'leases.renew') await going.promise;
      return inEngine(...given);
    });
    const name = newId();
    const lease = must(await leasesOf({ ...one, database }).acquire(name));
    await until(() => lease.lost.aborted);
    await new Promise(resolve => setTimeout(resolve, SHORT.marginMs + SHORT.graceMs));
    going.resolve();
    await new Promise(resolve => setTimeout(resolve, 50));
    expect(must(await leasesOf(two).acquire(name)).fence).toBe(lease.fence + 1);
  });

  it('finds out that it holds a lease although the answer was lost', async () => {
    let lost = 1;
    const database = tampered((inEngine, name) => async (...given) => {
      const answer = await inEngine(...given);
      if (name === 'leases.acquire' && lost-- > 0) throw new Error('the answer was lost');
      return answer;
    });
    const name = newId();
    const leases = leasesOf({ ...one, database });
    await expect(leases.acquire(name)).rejects.toThrow('lost');
    expect(await leasesOf(two).acquire(name)).toBeUndefined();
    const lease = must(await leases.acquire(name));
    expect(lease.fence).toBe(2);
    await assert(lease);
  });

  it('need not wait for what it could not give back', async () => {
    let away = 1;
    const database = tampered((inEngine, name) => (...given) => {
      const fails = name === 'leases.release' && away-- > 0;
      return fails ? Promise.reject(new Error('no network')) : inEngine(...given);
    });
    const name = newId();
    const leases = leasesOf({ ...one, database });
    const lease = must(await leases.acquire(name));
    await expect(lease.release()).rejects.toThrow('no network');
    expect(await leasesOf(two).acquire(name)).toBeUndefined();
    expect(must(await leases.acquire(name)).fence).toBe(lease.fence + 1);
  });

  it('wakes those who wait when it is given back', async () => {
    const woken = Promise.withResolvers<void>();
    const deaf = two.wake.on('leases', () => woken.resolve());
    const lease = must(await leasesOf(one).acquire(newId()));
    await lease.release();
    await woken.promise;
    deaf();
    expect(lease.held()).toBe(false);
  });

  it('shows with each renewal that its node is alive', async () => {
    const row = await appearAsNode(one);
    const seen = () =>
      one.database.inEngine('test.node', async tx => {
        const { seen_at } = await tx
          .selectFrom('nodes')
          .select('seen_at')
          .where('boot_id', '=', one.node.bootId)
          .executeTakeFirstOrThrow();
        return seen_at.getTime();
      });
    const before = await seen();
    leasesOf(one);
    await until(async () => (await seen()) > before);
    await row.stop();
    expect(await seen()).toBeGreaterThan(before);
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
