import { pino } from 'pino';
import { afterAll, afterEach, beforeAll, beforeEach } from 'vitest';
import { DEMO, startWhatsAppSimulator, type WhatsAppSimulator } from '../../sim/whatsapp/index.ts';
import type { Inbound, ReceiptFact, Wire } from '../../src/channels/adapters/contract.ts';
import { createLinkedAdapter } from '../../src/channels/adapters/linked/index.ts';
import type { LivenessTimes } from '../../src/channels/adapters/linked/liveness.ts';
import { createChannels, type RunningChannels } from '../../src/channels/driver/index.ts';
import { get, getPairing, listGroups } from '../../src/channels/queries.ts';
import { create, startPairing } from '../../src/channels/service.ts';
import { createLeases, inWorkspace, type Kernel, type Leases, type Scope } from '../../src/kernel/index.ts';
import { type TestKernel, testKernel, testWorkspace } from './database.ts';
import { until } from './until.ts';

export const OWNER = `+${DEMO.owner}`;
export const BEN = `+${DEMO.ben}`;
export const CHLOE = `+${DEMO.chloe}`;

/** A node that drives channels, with the rooms to the right as they hear of it. */
export type DrivingNode = {
  channels: RunningChannels;
  leases: Leases;
  inbound: Inbound[];
  receipts: ReceiptFact[];
  stop(): Promise<void>;
};

/** What a test of the driver stands on. */
type Ground = { kernel: TestKernel; simulator: WhatsAppSimulator; scope: Scope; node: DrivingNode };

/**
 * One database for the file; `begin` gets a simulator, a workspace and a node that drives its channels for each test.
 * After it every node is stopped.
 */
export function onDrivenGround(begin: (ground: Ground) => void) {
  let ground: Ground;
  let kernel: TestKernel;
  const nodes: DrivingNode[] = [];

  beforeAll(async () => {
    kernel = await testKernel();
  });
  afterAll(async () => kernel.close());
  beforeEach(async () => {
    const simulator = await startWhatsAppSimulator();
    const scope = await testWorkspace(kernel);
    ground = { kernel, simulator, scope, node: await startNode(kernel, simulator) };
    begin(ground);
  });
  afterEach(async () => {
    for (const node of nodes.splice(0)) await node.stop();
    await ground.simulator.close();
    await kernel.database.inEngine('test.clean', async tx => {
      await tx.deleteFrom('channels').execute();
    });
  });

  async function startNode(...how: Parameters<typeof nodeOn>): Promise<DrivingNode> {
    const node = await nodeOn(...how);
    nodes.push(node);
    return node;
  }

  const newChannel = (label = 'School') => create(ground.scope, { kind: 'linked', label });
  const channel = (id: string) => get(ground.scope, id);
  const groups = (id: string, archived: 'include' | 'exclude' = 'exclude') =>
    listGroups(ground.scope, { channel_id: id, limit: 50, archived }).then(page => page.data);
  const subjects = async (id: string) => (await groups(id)).map(({ subject }) => subject).sort();
  const qrOf = (id: string) =>
    until(async () => (await getPairing(ground.scope, id)).qr, { what: () => `a QR code of ${id}` });
  const becomes = (id: string, status: string) =>
    until(async () => (await channel(id)).status === status, { what: () => `status ${status}` });
  const devices = (number: string) =>
    ground.simulator.phones().find(phone => phone.number === number)?.linked ?? [];

  async function pair(number: string, label = 'School'): Promise<string> {
    const id = await newChannel(label);
    await pairAgain(id, number);
    return id;
  }

  async function pairAgain(id: string, number: string): Promise<void> {
    await startPairing(ground.scope, id, { method: 'qr' });
    ground.simulator.scan(number, await qrOf(id));
    await becomes(id, 'connected');
    await until(async () => (await groups(id)).length > 0 || number === CHLOE, { what: () => 'groups' });
  }

  function sendTo(id: string, phone: string, body: string, more: Partial<Wire> = {}) {
    const driven = nodes.map(({ channels }) => channels.drivenById(id)).find(one => one !== undefined);
    if (!driven) throw new Error('The channel is not driven.');
    const { adapter, connection } = driven;
    const wire = {
      providerId: adapter.newProviderId(),
      to: adapter.address({ kind: 'phone', phone }),
      payload: adapter.encode({ type: 'text', text: { body } }),
      ...more,
    };
    return connection.send(wire, new Date(Date.now() + 5_000));
  }

  return {
    startNode,
    newChannel,
    channel,
    groups,
    subjects,
    qrOf,
    becomes,
    devices,
    pair,
    pairAgain,
    sendTo,
  };
}

async function nodeOn(
  kernel: Kernel,
  simulator: WhatsAppSimulator,
  liveness: Partial<LivenessTimes> = {},
): Promise<DrivingNode> {
  const leases = createLeases(kernel);
  const adapter = createLinkedAdapter({
    socketUrl: simulator.socketUrl,
    rootKey: simulator.rootKey.toString('hex'),
    sandbox: true,
    log: pino({ level: 'silent' }),
    patience: 0.05,
    liveness,
  });
  const channels = createChannels(kernel, { leases, adapters: [adapter], lookMs: 100 });
  const inbound: Inbound[] = [];
  const receipts: ReceiptFact[] = [];
  channels.plug({
    sink: {
      inbound: async (_workspace, _channel, messages) => void inbound.push(...messages),
      receipts: async (_workspace, _channel, facts) => void receipts.push(...facts),
      late: async () => undefined,
    },
    payloads: { payloadOf: async () => undefined },
  });
  await channels.start();
  let stopped = false;
  const stop = async () => {
    if (stopped) return;
    stopped = true;
    await channels.stop();
    await leases.stop();
  };
  return { channels, leases, inbound, receipts, stop };
}

export function stored(scope: Scope, channelId: string): Promise<{ credentials: number; keys: number }> {
  return inWorkspace(scope, async tx => {
    const [credentials, keys] = await Promise.all(
      (['channel_credentials', 'channel_keys'] as const).map(table =>
        tx.selectFrom(table).select('workspace_id').where('channel_id', '=', channelId).execute(),
      ),
    );
    return { credentials: credentials?.length ?? 0, keys: keys?.length ?? 0 };
  });
}

/** Types of the workspace's facts in the order in which they were recorded. */
export async function factsOf(scope: Scope): Promise<string[]> {
  const rows = await inWorkspace(scope, tx =>
    tx
      .selectFrom('activity')
      .select('type')
      .where('workspace_id', '=', scope.workspaceId)
      .orderBy('id')
      .execute(),
  );
  return rows.map(({ type }) => type);
}

export function simulatorRefuses(act: () => unknown): boolean {
  try {
    act();
    return false;
  } catch {
    return true;
  }
}
