import { sql } from 'kysely';
import { pino } from 'pino';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { DEMO, startWhatsAppSimulator, type WhatsAppSimulator } from '../../../sim/whatsapp/index.ts';
import {
  type TestDatabase,
  type TestKernel,
  testDatabase,
  testKernel,
  testWorkspace,
} from '../../../test/harness/database.ts';
import { startTcpProxy, type TcpProxy } from '../../../test/harness/tcp-proxy.ts';
import { until } from '../../../test/harness/until.ts';
import { Database } from '../../kernel/database/database.ts';
import { openPostgres } from '../../kernel/database/postgres.ts';
import { appearAsNode, createLeases, type Kernel, newId, type Scope } from '../../kernel/index.ts';
import { createLinkedAdapter } from '../adapters/linked/index.ts';
import type { Driven } from '../ports.ts';
import { get, getPairing } from '../queries.ts';
import { create, startPairing } from '../service.ts';
import { createChannels, type RunningChannels } from './index.ts';

const OWNER = `+${DEMO.owner}`;
const BEN = `+${DEMO.ben}`;
const TIMES = { ttlMs: 3_000, renewMs: 600, marginMs: 900, graceMs: 200 };

type Node = { channels: RunningChannels; stop(): Promise<void> };

describe('a node whose link to the database falls silent', () => {
  let ground: TestDatabase;
  let near: TestKernel;
  let far: TestKernel;
  let proxy: TcpProxy;
  let simulator: WhatsAppSimulator;
  let scope: Scope;
  let nodes: Node[];

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
    const engine = openPostgres({
      url,
      poolSize: 5,
      deadlineMs: 1_500,
      idleMs: 1_000,
      onFault: () => undefined,
    });
    far = await testKernel({ database: new Database(engine, 'roles') });
    simulator = await startWhatsAppSimulator();
    scope = await testWorkspace(near);
    nodes = [];
  });
  afterEach(async () => {
    proxy.mend();
    await Promise.all(nodes.map(node => node.stop()));
    await simulator.close();
    await far.close();
    await far.database.close();
    await proxy.close();
    await near.database.inEngine('test.clean', async tx => {
      for (const table of ['channels', 'nodes'] as const) await tx.deleteFrom(table).execute();
    });
  });

  async function start(kernel: Kernel): Promise<Node> {
    const own = { ...kernel, node: { id: 'node', bootId: newId() } };
    const row = await appearAsNode(own);
    const leases = createLeases(own, TIMES);
    const adapter = createLinkedAdapter({
      socketUrl: simulator.socketUrl,
      rootKey: simulator.rootKey.toString('hex'),
      sandbox: true,
      log: pino({ level: 'silent' }),
      patience: 0.05,
    });
    const channels = createChannels(own, { leases, adapters: [adapter], lookMs: 200 });
    await channels.start();
    let stopping: Promise<void> | undefined;
    const stop = async () => {
      await row.leave();
      await channels.stop();
      await leases.stop();
      await row.stop();
    };
    const node = { channels, stop: () => (stopping ??= stop()) };
    nodes.push(node);
    return node;
  }

  async function pair(): Promise<string> {
    const id = await create(scope, { kind: 'linked', label: 'School' });
    await startPairing(scope, id, { method: 'qr' });
    simulator.scan(OWNER, await until(async () => (await getPairing(scope, id)).qr));
    await until(async () => (await get(scope, id)).status === 'connected');
    return id;
  }

  const drivenBy = (node: Node, id: string) => until(() => node.channels.drivenById(id), { within: 20_000 });
  const leftMs = async (id: string) => {
    const { rows } = await near.database.inEngine('test.left', tx =>
      sql<{ left: number }>`select (extract(epoch from expires_at - clock_timestamp()) * 1000)::float8 as left
        from leases where name = ${`channel:${id}`}`.execute(tx),
    );
    return rows[0]?.left ?? 0;
  };

  function send({ adapter, connection }: Driven, body: string) {
    const wire = {
      providerId: adapter.newProviderId(),
      to: adapter.address({ kind: 'phone', phone: BEN }),
      payload: adapter.encode({ type: 'text', text: { body } }),
    };
    return connection.send(wire, new Date(Date.now() + 10_000));
  }

  it('stops before its lease ends, is followed by another, and comes back by itself', async () => {
    const one = await start(far);
    const id = await pair();
    const before = await drivenBy(one, id);
    expect(await send(before, 'before')).toMatchObject({ outcome: 'accepted' });
    const two = await start(near);

    proxy.blackhole();
    await until(() => simulator.connections().open.length === 0, { every: 5 });
    expect(await leftMs(id)).toBeGreaterThan(0);
    expect(one.channels.driven()).toEqual([]);
    expect(await send(before, 'too late')).toMatchObject({ outcome: 'deferred' });

    expect(await send(await drivenBy(two, id), 'meanwhile')).toMatchObject({ outcome: 'accepted' });
    proxy.mend();
    await two.stop();
    expect(await send(await drivenBy(one, id), 'again')).toMatchObject({ outcome: 'accepted' });

    expect(simulator.ledger().map(({ text, copies }) => [text, copies])).toEqual([
      ['before', 1],
      ['meanwhile', 1],
      ['again', 1],
    ]);
    expect(simulator.connections().closed.map(({ reason }) => reason)).not.toContain('replaced');
  });

  it('writes nothing first when it wakes up past its lease', async () => {
    const one = await start(far);
    const driven = await drivenBy(one, await pair());
    const wakesAt = performance.now() + TIMES.ttlMs;
    while (performance.now() < wakesAt);
    expect(await send(driven, 'asleep')).toMatchObject({ outcome: 'deferred' });
    expect(simulator.ledger()).toEqual([]);
  });
});
