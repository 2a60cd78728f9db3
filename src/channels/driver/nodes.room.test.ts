import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type TestKernel, testKernel, testWorkspace } from '../../../test/harness/database.ts';
import { until } from '../../../test/harness/until.ts';
import {
  appearAsNode,
  createLeases,
  inWorkspace,
  type Kernel,
  type NodeRow,
  newId,
  type Scope,
} from '../../kernel/index.ts';
import { FarEnd } from './far-end.fixture.ts';
import { createChannels, type RunningChannels } from './index.ts';

const TIMES = { ttlMs: 1_500, renewMs: 300, marginMs: 500, graceMs: 100 };
const CHANNELS = 12;

type Node = { channels: RunningChannels; row: NodeRow; stop(): Promise<void>; cut(): void };

describe('several nodes', () => {
  let kernel: TestKernel;
  let scope: Scope;
  let far: FarEnd;
  let nodes: Node[];

  beforeAll(async () => {
    kernel = await testKernel();
  });
  afterAll(() => kernel.close());
  beforeEach(async () => {
    scope = await testWorkspace(kernel);
    far = new FarEnd(newId(), CHANNELS);
    nodes = [];
  });
  afterEach(async () => {
    await Promise.all(nodes.map(node => node.stop()));
    await kernel.database.inEngine('test.clean', async tx => {
      await tx.deleteFrom('channels').execute();
      await tx.deleteFrom('nodes').execute();
    });
  });

  /** Channels of the far end number `from` to `to`, all wanted connected. */
  async function want(from: number, to: number): Promise<void> {
    const rows = far.kinds.slice(from, to).map(kind => ({
      workspace_id: scope.workspaceId,
      id: newId(),
      kind,
      label: kind,
      wanted: 'connected',
      status: 'connecting',
    }));
    await inWorkspace(scope, tx => tx.insertInto('channels').values(rows).execute());
    kernel.wake.publish('channels');
  }

  async function start({ limit = 150, handOverMs = 60_000, lookMs = 400 } = {}): Promise<Node> {
    let cut = false;
    const database = new Proxy(kernel.database, {
      get: (target, key) => {
        if (key !== 'inEngine') return Reflect.get(target, key, target);
        const inEngine: Kernel['database']['inEngine'] = (name, work, patience) =>
          cut ? Promise.reject(new Error('no network')) : target.inEngine(name, work, patience);
        return inEngine;
      },
    });
    const own: Kernel = {
      ...kernel,
      database,
      config: { ...kernel.config, maxChannelsPerNode: limit },
      node: { id: 'node', bootId: newId() },
    };
    const row = await appearAsServer(own);
    const leases = createLeases(own, TIMES);
    const channels = createChannels(own, { leases, adapters: far.adapters(), lookMs, handOverMs });
    await channels.start();
    let stopping: Promise<void> | undefined;
    const stop = async () => {
      if (!cut) await row.leave();
      await channels.stop();
      await leases.stop().catch(() => undefined);
    };
    const node = {
      channels,
      row,
      stop: () => (stopping ??= stop()),
      cut: () => {
        cut = true;
      },
    };
    nodes.push(node);
    return node;
  }

  const load = (node: Node) => node.channels.driven().length;
  const loads = (...list: Node[]) => list.map(load);
  const total = (many: number, ...list: Node[]) =>
    until(() => loads(...list).reduce((sum, one) => sum + one, 0) === many, {
      what: () => `${many} connections, there are ${loads(...list).join(' + ')}`,
    });
  const reasons = () =>
    inWorkspace(scope, async tx => {
      const rows = await tx.selectFrom('channels').select('status_reason').execute();
      return rows.flatMap(row => row.status_reason ?? []);
    });

  it('take equal shares of what is free, the idlest first', async () => {
    // Only the others' slowness could upset the shares; here nobody takes what another should.
    const patient = { lookMs: 4_000 };
    const one = await start(patient);
    const two = await start(patient);
    await want(0, 6);
    await total(6, one, two);
    expect(loads(one, two)).toEqual([3, 3]);
    const three = await start(patient);
    await want(6, 12);
    await total(12, one, two, three);
    expect(loads(one, two, three)).toEqual([4, 4, 4]);
    expect(far.mostAtOnce).toBe(1);
  });

  it('take at most their limit; a channel without room says so until there is some', async () => {
    const one = await start({ limit: 2 });
    const two = await start({ limit: 1 });
    await want(0, 4);
    await total(3, one, two);
    expect(loads(one, two)).toEqual([2, 1]);
    await until(async () => (await reasons()).includes('no_room'));
    const three = await start({ limit: 5 });
    await total(4, one, two, three);
    expect(load(three)).toBe(1);
    await until(async () => (await reasons()).length === 0);
  });

  it('do not let a pairing wait for a code that nobody can bring', async () => {
    await start({ limit: 0 });
    const id = newId();
    const [kind = ''] = far.kinds;
    await inWorkspace(scope, async tx => {
      const place = { workspace_id: scope.workspaceId };
      const channel = { ...place, id, kind, label: kind, wanted: 'pairing', status: 'pairing' };
      await tx.insertInto('channels').values(channel).execute();
      const later = new Date(Date.now() + 300_000);
      const pairing = { ...place, channel_id: id, id: newId(), method: 'qr', expires_at: later };
      await tx
        .insertInto('pairings')
        .values({ ...pairing, generation: 1, step: 'starting' })
        .execute();
    });
    const pairing = await until(() =>
      inWorkspace(scope, tx =>
        tx.selectFrom('pairings').selectAll().where('step', '=', 'failed').executeTakeFirst(),
      ),
    );
    expect(pairing.reason).toBe('no_room');
    expect(far.events).toEqual([]);
  });

  it('hand over at once when one of them stops, and never hold two connections of one account', async () => {
    const one = await start();
    await want(0, 8);
    await total(8, one);
    const others = [await start(), await start()];
    const from = performance.now();
    await one.stop();
    await total(8, ...others);
    expect(performance.now() - from).toBeLessThan(3_000);
    expect(loads(...others)).toEqual([4, 4]);
    expect(far.mostAtOnce).toBe(1);
  });

  it('take nothing more when they are about to stop', async () => {
    const one = await start();
    await one.row.leave();
    await want(0, 2);
    const two = await start();
    await total(2, two);
    expect(load(one)).toBe(0);
    expect(await reasons()).toEqual([]);
  });

  it('take over from one that cannot reach the database only when it has let go', async () => {
    const one = await start();
    await want(0, 4);
    await total(4, one);
    const two = await start();
    one.cut();
    const from = performance.now();
    await total(4, two);
    expect(performance.now() - from).toBeLessThan(TIMES.ttlMs + TIMES.graceMs + 4_000);
    expect(load(one)).toBe(0);
    expect(far.mostAtOnce).toBe(1);
  });

  it('hand over one at a time what a far idler node should have, and cut no answer short', async () => {
    const answer = Promise.withResolvers<void>();
    const one = await start({ handOverMs: 50 });
    await want(0, 12);
    await total(12, one);
    far.answer = async () => {
      await answer.promise;
      return { outcome: 'accepted', at: new Date(), providerId: 'x' };
    };
    const wire = { providerId: 'x', to: 'x', payload: new Uint8Array() };
    const sends = one.channels
      .driven()
      .map(({ connection }) => connection.send(wire, new Date(Date.now() + 60_000)));
    const two = await start();
    await until(() => load(one) < 12);
    await new Promise(resolve => setTimeout(resolve, 2_500));
    expect(far.events.filter(({ what }) => what === 'close')).toEqual([]);
    answer.resolve();
    expect(await Promise.all(sends)).toMatchObject(sends.map(() => ({ outcome: 'accepted' })));
    await total(12, one, two);
    // One is enough; a second may go while the count of the first is not known everywhere yet.
    expect([1, 2]).toContain(load(two));
    expect(far.mostAtOnce).toBe(1);
  });
});

/** A row beside the others, as on a server: an embedded database has only one node, which marks all others stopped. */
async function appearAsServer(own: Kernel): Promise<NodeRow> {
  const engine = { ...own.database.engine, kind: 'server' as const };
  const database = new Proxy(own.database, {
    get: (target, key) => (key === 'engine' ? engine : Reflect.get(target, key, target)),
  });
  return appearAsNode({ ...own, database });
}
