import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type TestKernel, testKernel } from '../../test/harness/database.ts';
import { until } from '../../test/harness/until.ts';
import { CommitUnknown } from './database/database.ts';
import { cancelDue, type DueItem, scheduleDue, takeDue } from './due-work.ts';
import { createDueWorker, type DueWorker, type DueWorkerOptions } from './due-worker.ts';
import { newId } from './ids.ts';
import type { Kernel } from './kernel.ts';

let one: TestKernel;
let two: TestKernel;
const workers: DueWorker[] = [];

beforeAll(async () => {
  one = await testKernel();
  two = await testKernel({ database: one.database });
});
afterAll(async () => {
  await two.close();
  await one.close();
});
afterEach(async () => {
  await Promise.all(workers.splice(0).map(worker => worker.stop()));
});

type Fired = { item: DueItem; at: number; by: string };

function worker(kernel: Kernel, kind: string, fired: Fired[], options: Partial<DueWorkerOptions> = {}) {
  const made = createDueWorker(kernel, {
    kind,
    lanes: 'all',
    fire: async items => {
      const at = kernel.clock.now().getTime();
      const taken = await kernel.database.inEngine('test.fire', tx => takeDue(tx, kernel.node.bootId, items));
      for (const item of taken) fired.push({ item, at, by: kernel.node.bootId });
    },
    ...options,
  });
  workers.push(made);
  made.start();
  return made;
}

function items(kind: string, count: number, dueIn: (index: number) => number, lane = newId()): DueItem[] {
  const now = Date.now();
  const workspaceId = newId();
  return Array.from({ length: count }, (_, index) => ({
    workspaceId,
    kind,
    subjectId: newId(),
    lane,
    dueAt: new Date(now + dueIn(index)),
    priority: 0,
  }));
}

const schedule = (due: DueItem[]) => one.database.inEngine('test.schedule', tx => scheduleDue(tx, due));
const idsOf = (due: DueItem[]) => due.map(item => item.subjectId).sort();

const claimsOf = (kind: string) =>
  one.database.inEngine('test.claims', tx =>
    tx.selectFrom('due_work').select('claimed_by').where('kind', '=', kind).execute(),
  );

/** A node of its own that can be cut off the database, as a killed process is. */
function mortalKernel() {
  let dead = false;
  const database = new Proxy(one.database, {
    get: (target, name) => {
      if (name !== 'inEngine') return Reflect.get(target, name, target);
      const inEngine: Kernel['database']['inEngine'] = (room, work) =>
        dead ? Promise.reject(new Error('killed')) : target.inEngine(room, work);
      return inEngine;
    },
  });
  const kernel: Kernel = { ...one, database, node: { id: 'mortal', bootId: newId() } };
  return {
    kernel,
    kill: () => {
      dead = true;
    },
  };
}

describe('due work', () => {
  it('fires each item once, never early, in order of instants', async () => {
    const fired: Fired[] = [];
    worker(one, 'order', fired, { concurrency: 1 });
    const due = items('order', 200, index => ((index * 37) % 200) * 4);
    await schedule(due);
    await until(() => fired.length >= due.length);
    expect(fired.filter(({ item, at }) => at < item.dueAt.getTime())).toEqual([]);
    expect(idsOf(fired.map(({ item }) => item))).toEqual(idsOf(due));
    const instants = fired.map(({ item }) => item.dueAt.getTime());
    expect(instants).toEqual([...instants].sort((a, b) => a - b));
  });

  it('lets the higher priority go first at the same instant', async () => {
    const fired: Fired[] = [];
    const due = items('priority', 30, () => 150).map((item, index) => ({ ...item, priority: index % 3 }));
    await schedule(due);
    worker(one, 'priority', fired, { concurrency: 1 });
    await until(() => fired.length === 30);
    const order = fired.map(({ item }) => item.priority);
    expect(order).toEqual([...order].sort((a, b) => b - a));
  });

  it('fires every item once although two nodes look for it', async () => {
    const fired: Fired[] = [];
    worker(one, 'twins', fired, { batch: 20 });
    worker(two, 'twins', fired, { batch: 20 });
    const due = items('twins', 600, index => (index % 50) * 10);
    await schedule(due);
    await until(() => fired.length >= due.length);
    expect(idsOf(fired.map(({ item }) => item))).toEqual(idsOf(due));
    expect(new Set(fired.map(({ by }) => by)).size).toBe(2);
  });

  it('does not let one crowded lane starve the others', async () => {
    const fired: Fired[] = [];
    const crowd = items('crowd', 3_000, () => -60_000);
    const few = Array.from({ length: 10 }, () => items('crowd', 1, () => -1_000)).flat();
    await schedule([...crowd, ...few]);
    worker(one, 'crowd', fired, { batch: 50 });
    await until(() => fired.length === 3_010, { within: 20_000 });
    const order = fired.map(({ item }) => item.subjectId);
    expect(Math.max(...few.map(item => order.indexOf(item.subjectId)))).toBeLessThan(400);
  });

  it('shares a claim between the lanes that a node serves, and leaves the others alone', async () => {
    const fired: Fired[] = [];
    const mine = [newId(), newId()];
    const full = items('lanes', 500, () => -60_000, mine[0]);
    const thin = items('lanes', 5, () => -1_000, mine[1]);
    const foreign = items('lanes', 5, () => -60_000);
    await schedule([...full, ...thin, ...foreign]);
    worker(one, 'lanes', fired, { lanes: () => mine, perLane: 20, concurrency: 1 });
    await until(() => fired.length === 505);
    const order = fired.map(({ item }) => item.subjectId);
    expect(Math.max(...thin.map(item => order.indexOf(item.subjectId)))).toBeLessThan(40);
    const left = await one.database.inEngine('test.left', tx =>
      tx.selectFrom('due_work').select(['subject_id', 'claimed_by']).where('kind', '=', 'lanes').execute(),
    );
    expect(left.map(row => row.subject_id).sort()).toEqual(idsOf(foreign));
    expect(left.every(row => row.claimed_by === null)).toBe(true);
  });

  it('takes at once what another has left claimed in a lane that is its own now, and not what is put off', async () => {
    const fired: Fired[] = [];
    const lane = newId();
    const [left, putOff] = [items('left', 3, () => -1_000, lane), items('left', 1, () => -1_000, lane)];
    await schedule([...left, ...putOff]);
    const hold = (of: DueItem[], claimedBy: string | null) =>
      one.database.inEngine('test.hold', tx =>
        tx
          .updateTable('due_work')
          .set({ claimed_by: claimedBy, claimed_until: new Date(Date.now() + 30_000) })
          .where('subject_id', 'in', idsOf(of))
          .execute(),
      );
    await hold(left, newId());
    await hold(putOff, null);
    worker(one, 'left', fired, { lanes: () => [lane] });
    await until(() => fired.length === 3, { within: 5_000 });
    expect(fired.map(({ item }) => item.subjectId).sort()).toEqual(idsOf(left));
    expect((await claimsOf('left')).map(row => row.claimed_by)).toEqual([null]);
  });

  it('lets a crowd that waits for its instant take no room from other lanes', async () => {
    const fired: Fired[] = [];
    const lanes = [newId(), newId(), newId()];
    const crowds = lanes.slice(0, 2).flatMap(lane => items('ahead', 100, () => 1_400, lane));
    await schedule(crowds);
    worker(one, 'ahead', fired, { lanes: () => lanes, batch: 20, perLane: 20 });
    await until(async () => (await claimsOf('ahead')).filter(row => row.claimed_by !== null).length >= 40);
    const [item] = items('ahead', 1, () => 0, lanes[2]) as [DueItem];
    await schedule([item]);
    await until(() => fired.length > 0);
    expect(fired[0]?.item.subjectId).toBe(item.subjectId);
    expect(fired[0]?.at).toBeLessThan(crowds[0]?.dueAt.getTime() ?? 0);
    await until(() => fired.length === 201);
  });

  it('fires in time what it had claimed without hearing of it', async () => {
    const fired: Fired[] = [];
    let lost = 0;
    const database = new Proxy(one.database, {
      get: (target, name) => {
        if (name !== 'inEngine') return Reflect.get(target, name, target);
        const inEngine: Kernel['database']['inEngine'] = async (kind, work, patience) => {
          const answer = await target.inEngine(kind, work, patience);
          const claimed =
            kind === 'due.unheard' && (answer as { items?: DueItem[] } | undefined)?.items?.length;
          if (claimed && lost++ === 0) throw new CommitUnknown(kind, new Error('the link is cut'));
          return answer;
        };
        return inEngine;
      },
    });
    const due = items('unheard', 3, index => index * 100);
    await schedule(due);
    worker({ ...one, database }, 'unheard', fired);
    await until(() => fired.length === 3);
    expect(lost).toBeGreaterThan(1);
    expect(fired.map(({ item }) => item.subjectId).sort()).toEqual(idsOf(due));
  });

  it('fires what a dead node had claimed once its claim has expired', async () => {
    const fired: Fired[] = [];
    const [item] = items('dead', 1, () => 500);
    if (!item) throw new Error('unreachable');
    await schedule([item]);
    const { kernel: mortal, kill } = mortalKernel();
    worker(mortal, 'dead', fired, { leaseMs: 300 });
    await until(async () => (await claimsOf('dead')).every(row => row.claimed_by === mortal.node.bootId));
    kill();
    worker(two, 'dead', fired);
    await until(() => fired.length === 1);
    expect(fired[0]?.by).toBe(two.node.bootId);
    expect(fired[0]?.at).toBeGreaterThanOrEqual(item.dueAt.getTime() + 300);
  });

  it('does not fire what was cancelled or moved after it had been claimed', async () => {
    const fired: Fired[] = [];
    worker(one, 'moved', fired);
    const [cancelled, moved] = items('moved', 2, () => 500) as [DueItem, DueItem];
    await schedule([cancelled, moved]);
    await until(async () => (await claimsOf('moved')).every(row => row.claimed_by !== null));
    const later = { ...moved, dueAt: new Date(moved.dueAt.getTime() + 400) };
    await one.database.inEngine('test.change', async tx => {
      await cancelDue(tx, cancelled.workspaceId, 'moved', [cancelled.subjectId]);
      await scheduleDue(tx, [later]);
    });
    await until(() => fired.length > 0);
    expect(fired).toHaveLength(1);
    expect(fired[0]?.item.subjectId).toBe(moved.subjectId);
    expect(fired[0]?.at).toBeGreaterThanOrEqual(later.dueAt.getTime());
    expect(await claimsOf('moved')).toEqual([]);
  });

  it('tries again what failed to fire', async () => {
    const fired: Fired[] = [];
    let failures = 0;
    worker(one, 'again', [], {
      fire: async items => {
        if (failures++ === 0) throw new Error('the database was away');
        const taken = await one.database.inEngine('test.fire', tx => takeDue(tx, one.node.bootId, items));
        for (const item of taken) fired.push({ item, at: Date.now(), by: '' });
      },
    });
    await schedule(items('again', 3, () => 0));
    await until(() => fired.length === 3);
    expect(failures).toBe(2);
  });

  it('gives back at its stop what has not fired, after what is firing has ended', async () => {
    const fired: Fired[] = [];
    let release: (() => void) | undefined;
    const made = worker(one, 'stop', fired, {
      fire: async items => {
        await new Promise<void>(resolve => {
          release = resolve;
        });
        const taken = await one.database.inEngine('test.fire', tx => takeDue(tx, one.node.bootId, items));
        for (const item of taken) fired.push({ item, at: Date.now(), by: '' });
      },
    });
    const [now, later] = [items('stop', 1, () => 0), items('stop', 1, () => 1_200)];
    await schedule([...now, ...later]);
    await until(() => release);
    const stopping = made.stop();
    release?.();
    await stopping;
    expect(fired.map(({ item }) => item.subjectId)).toEqual(idsOf(now));
    const left = await one.database.inEngine('test.left', tx =>
      tx.selectFrom('due_work').select(['subject_id', 'claimed_by']).where('kind', '=', 'stop').execute(),
    );
    expect(left).toEqual([{ subject_id: later[0]?.subjectId, claimed_by: null }]);
  });

  it.each([5_000, -5_000])(
    'keeps to the clock of its node, which is %i ms off the database',
    async offset => {
      const kind = `skew${offset}`;
      const clock = { ...one.clock, now: () => new Date(Date.now() + offset) };
      const node = { id: 'skewed', bootId: newId() };
      const skewed: Kernel = { ...one, clock, node };
      const fired: Fired[] = [];
      worker(skewed, kind, fired);
      const due = items(kind, 1, () => offset + 1_600);
      await schedule(due);
      await until(() => fired.length === 1);
      const late = (fired[0]?.at ?? 0) - (due[0]?.dueAt.getTime() ?? 0);
      expect(late).toBeGreaterThanOrEqual(0);
      expect(late).toBeLessThan(2_000);
    },
  );

  it.each([3_600_000, -3_600_000])(
    'goes by the clock of the database where that is asked for, %i ms off',
    async offset => {
      const kind = `by${offset}`;
      const clock = { ...one.clock, now: () => new Date(Date.now() + offset) };
      const skewed: Kernel = { ...one, clock, node: { id: 'skewed', bootId: newId() } };
      const fired: Fired[] = [];
      worker(skewed, kind, fired, { by: 'database' });
      const [item] = items(kind, 1, () => 1_600) as [DueItem];
      await schedule([item]);
      await until(() => fired.length === 1);
      const late = (fired[0]?.at ?? 0) - offset - item.dueAt.getTime();
      // As exact as one look at the database tells how far the clocks differ.
      expect(late).toBeGreaterThan(-500);
      expect(late).toBeLessThan(5_000);
    },
  );
});
