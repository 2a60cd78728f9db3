import { pino } from 'pino';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { DEMO, startWhatsAppSimulator, type WhatsAppSimulator } from '../../../sim/whatsapp/index.ts';
import { type TestKernel, testKernel, testWorkspace } from '../../../test/harness/database.ts';
import { until } from '../../../test/harness/until.ts';
import { hear, optedOutAmong, readWord } from '../../contacts/index.ts';
import { createLeases, inWorkspace, type Kernel, type Leases, type Scope } from '../../kernel/index.ts';
import type { Inbound, ReceiptFact, Wire } from '../adapters/contract.ts';
import { createLinkedAdapter } from '../adapters/linked/index.ts';
import type { LivenessTimes } from '../adapters/linked/liveness.ts';
import { get, getPairing, listGroups } from '../queries.ts';
import { cancelPairing, create, remove, startPairing, unpair } from '../service.ts';
import { createChannels, type RunningChannels } from './index.ts';

const OWNER = `+${DEMO.owner}`;
const BEN = `+${DEMO.ben}`;
const CHLOE = `+${DEMO.chloe}`;

/** A node that drives channels, with the rooms to the right as they hear of it. */
type Node = {
  channels: RunningChannels;
  leases: Leases;
  inbound: Inbound[];
  receipts: ReceiptFact[];
  stop(): Promise<void>;
};

describe('the driver of channels', () => {
  let kernel: TestKernel;
  let simulator: WhatsAppSimulator;
  let scope: Scope;
  let node: Node;

  beforeAll(async () => {
    kernel = await testKernel();
  });
  afterAll(async () => kernel.close());
  beforeEach(async () => {
    simulator = await startWhatsAppSimulator();
    scope = await testWorkspace(kernel);
    node = await startNode(kernel, simulator);
  });
  afterEach(async () => {
    await node.stop();
    await simulator.close();
    await kernel.database.inEngine('test.clean', async tx => {
      await tx.deleteFrom('channels').execute();
    });
  });

  const newChannel = (label = 'School') => create(scope, { kind: 'linked', label });
  const channel = (id: string) => get(scope, id);
  const groups = (id: string, archived: 'include' | 'exclude' = 'exclude') =>
    listGroups(scope, { channel_id: id, limit: 50, archived }).then(page => page.data);
  const subjects = async (id: string) => (await groups(id)).map(({ subject }) => subject).sort();
  const qrOf = (id: string) =>
    until(async () => (await getPairing(scope, id)).qr, { what: () => `a QR code of ${id}` });
  const becomes = (id: string, status: string) =>
    until(async () => (await channel(id)).status === status, { what: () => `status ${status}` });
  const devices = (number: string) => simulator.phones().find(phone => phone.number === number)?.linked ?? [];

  async function pair(number: string, label = 'School'): Promise<string> {
    const id = await newChannel(label);
    await pairAgain(id, number);
    return id;
  }

  async function pairAgain(id: string, number: string): Promise<void> {
    await startPairing(scope, id, { method: 'qr' });
    simulator.scan(number, await qrOf(id));
    await becomes(id, 'connected');
    await until(async () => (await groups(id)).length > 0 || number === CHLOE, { what: () => 'groups' });
  }

  function sendTo(id: string, phone: string, body: string, more: Partial<Wire> = {}) {
    const driven = node.channels.drivenById(id);
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

  it('pairs by QR code: steps live, number shown, groups there, ready to send', async () => {
    const id = await newChannel();
    await startPairing(scope, id, { method: 'qr' });
    const qr = await qrOf(id);
    expect(await getPairing(scope, id)).toMatchObject({ step: 'show_qr', method: 'qr', qr });
    expect(await channel(id)).toMatchObject({ status: 'pairing' });
    simulator.scan(OWNER, qr);
    await becomes(id, 'connected');
    expect(await getPairing(scope, id)).toMatchObject({ step: 'done', phone: OWNER });
    expect(await getPairing(scope, id)).not.toHaveProperty('qr');
    expect(await channel(id)).toMatchObject({
      phone: OWNER,
      profile_name: 'Olivia Owner',
      status_reason: null,
    });
    await until(async () => (await groups(id)).length === 2);
    expect(await subjects(id)).toEqual(['Class 3A', 'Class 3B']);
    expect(node.channels.driven().map(({ channelId }) => channelId)).toEqual([id]);
    expect(await sendTo(id, BEN, 'Hello')).toMatchObject({ outcome: 'accepted' });
    await until(() => node.receipts.length > 0);
    expect(node.receipts).toMatchObject([{ kind: 'delivered', recipient: BEN }]);
    expect(simulator.ledger()).toMatchObject([{ text: 'Hello', to: BEN, copies: 1 }]);
  });

  it('keeps a message back when only the send reveals that its recipient has opted out', async () => {
    const id = await pair(OWNER);
    const dora = '+15550000009';
    simulator.addPhone(dora, 'Dora');
    simulator.setFaults({ number: OWNER, hide_numbers: true });
    simulator.send(dora, OWNER, 'stop');
    const [message] = await until(() => node.inbound.length > 0 && node.inbound);
    const [from] = message?.kind === 'text' ? message.sender : [];
    const word = readWord('stop');
    if (!from || !word) throw new Error('Dora has no name.');
    expect(from.kind).toBe('whatsapp_lid');
    await inWorkspace(scope, tx =>
      hear(tx, scope, { word, channelId: id, key: 'stop', from: [from], at: new Date() }),
    );
    const unwanted = ['one', 'two', 'three'].map(body => sendTo(id, dora, body));
    const refused = { outcome: 'refused', code: 'opted_out' };
    expect(await Promise.all(unwanted)).toMatchObject([refused, refused, refused]);
    expect(simulator.ledger()).toEqual([]);
    expect(await sendTo(id, dora, 'as you wished', { answersOptOut: true })).toMatchObject({
      outcome: 'accepted',
    });
    const recipient = { workspaceId: scope.workspaceId, phone: dora };
    const found = await inWorkspace(scope, tx => optedOutAmong(tx, [recipient]));
    expect([...found]).toEqual([recipient]);
  });

  it('pairs by code', async () => {
    const id = await newChannel();
    await startPairing(scope, id, { method: 'code', phone: OWNER });
    const code = await until(async () => (await getPairing(scope, id)).code);
    expect(code).toMatch(/^[0-9A-Z]{8}$/);
    await simulator.linkCode(OWNER, code);
    await becomes(id, 'connected');
    expect(await getPairing(scope, id)).toMatchObject({ step: 'done', phone: OWNER });
  });

  it('stores what comes in once, encrypted, and hands it on', async () => {
    const id = await pair(OWNER);
    simulator.setFaults({ number: OWNER, duplicate: 1 });
    simulator.send(BEN, OWNER, 'A private word');
    simulator.send(CHLOE, DEMO.class3A, 'A word to all');
    await until(() => node.inbound.length >= 2);
    expect(node.inbound.map(one => (one.kind === 'text' ? one.text : one.kind)).sort()).toEqual([
      'A private word',
      'A word to all',
    ]);
    const rows = await inWorkspace(scope, tx =>
      tx.selectFrom('intake').selectAll().where('channel_id', '=', id).execute(),
    );
    expect(rows).toHaveLength(2);
    expect(rows.map(row => row.ciphertext.toString('latin1')).join()).not.toContain('word');
  });

  it('halts the channel when the time is over, and a new pairing is not touched by the old end', async () => {
    const id = await newChannel();
    await startPairing(scope, id, { method: 'qr' }, 400);
    await becomes(id, 'unpaired');
    expect(await channel(id)).toMatchObject({ status_reason: 'pairing_timed_out', phone: null });
    const old = await getPairing(scope, id);
    expect(old).toMatchObject({ step: 'failed', reason: 'timed_out' });
    expect(old.detail).toMatch(/five minutes/);

    await startPairing(scope, id, { method: 'qr' }, 60_000);
    const fresh = await getPairing(scope, id);
    expect(fresh.id).not.toBe(old.id);
    simulator.scan(OWNER, await qrOf(id));
    await becomes(id, 'connected');
    expect(await getPairing(scope, id)).toMatchObject({ id: fresh.id, step: 'done' });
  });

  it('leaves a pairing for a new one: the code of the old one is dead, its time-out says nothing', async () => {
    const id = await newChannel();
    await startPairing(scope, id, { method: 'qr' }, 700);
    const oldCode = await qrOf(id);
    await startPairing(scope, id, { method: 'code', phone: OWNER }, 60_000);
    await startPairing(scope, id, { method: 'qr' }, 60_000);
    const code = await until(async () => {
      const { qr } = await getPairing(scope, id);
      return qr !== oldCode && qr;
    });
    expect(simulatorRefuses(() => simulator.scan(OWNER, oldCode))).toBe(true);
    await new Promise(resolve => setTimeout(resolve, 900));
    expect(await getPairing(scope, id)).toMatchObject({ step: 'show_qr' });
    simulator.scan(OWNER, code);
    await becomes(id, 'connected');
  });

  it('cancels: the code is dead at once and nothing is stored', async () => {
    const id = await newChannel();
    await startPairing(scope, id, { method: 'qr' });
    const qr = await qrOf(id);
    await cancelPairing(scope, id);
    expect(await getPairing(scope, id)).toMatchObject({ step: 'cancelled' });
    expect(await channel(id)).toMatchObject({ status: 'unpaired' });
    await until(() => simulatorRefuses(() => simulator.scan(OWNER, qr)));
    await until(async () => (await stored(scope, id)).credentials === 0 && devices(OWNER).length === 0);
    expect(await stored(scope, id)).toEqual({ credentials: 0, keys: 0 });
  });

  it('refuses a number that another channel has, which keeps working; the new device is logged out', async () => {
    const first = await pair(OWNER, 'First');
    const second = await newChannel('Second');
    await startPairing(scope, second, { method: 'qr' });
    simulator.scan(OWNER, await qrOf(second));
    await becomes(second, 'unpaired');
    const pairing = await getPairing(scope, second);
    expect(pairing).toMatchObject({ step: 'failed', reason: 'number_already_linked' });
    expect(pairing.detail).toContain('"First"');
    expect(await channel(second)).toMatchObject({ status_reason: 'number_already_linked', phone: null });
    expect(devices(OWNER)).toHaveLength(1);
    expect(await stored(scope, second)).toEqual({ credentials: 0, keys: 0 });
    expect(await channel(first)).toMatchObject({ status: 'connected', phone: OWNER });
    expect(await sendTo(first, BEN, 'still here')).toMatchObject({ outcome: 'accepted' });
  });

  it('unpairs and pairs again: logged out at WhatsApp, groups archived and back under the same ids', async () => {
    const id = await pair(OWNER);
    await until(async () => (await groups(id)).length === 2);
    const before = (await groups(id)).map(group => group.id).sort();
    await unpair(scope, id);
    await until(() => devices(OWNER).length === 0);
    await until(async () => (await stored(scope, id)).keys === 0);
    expect(await groups(id)).toEqual([]);
    expect(await groups(id, 'include')).toHaveLength(2);
    expect(await channel(id)).toMatchObject({ status: 'unpaired', status_reason: 'unpaired', phone: null });
    expect(node.channels.driven()).toEqual([]);

    await pairAgain(id, OWNER);
    await until(async () => (await groups(id)).length === 2);
    expect((await groups(id)).map(group => group.id).sort()).toEqual(before);
  });

  it('removes a channel: logged out, keys erased, its number free for another channel', async () => {
    const id = await pair(OWNER);
    await remove(scope, id);
    await expect(channel(id)).rejects.toMatchObject({ code: 'not_found' });
    await until(() => devices(OWNER).length === 0);
    await until(async () => (await stored(scope, id)).keys === 0);
    const next = await pair(OWNER, 'Next');
    expect(await channel(next)).toMatchObject({ phone: OWNER });
  });

  it('halts a channel that was unlinked on the phone', async () => {
    const id = await pair(OWNER);
    simulator.unlink(OWNER);
    await becomes(id, 'unpaired');
    expect(await channel(id)).toMatchObject({ status_reason: 'logged_out', phone: null });
    expect(await stored(scope, id)).toEqual({ credentials: 0, keys: 0 });
    expect(await groups(id)).toEqual([]);
  });

  it.each([
    [403, 'forbidden', false],
    [405, 'client_outdated', true],
  ] as const)(
    'halts a channel that WhatsApp refuses with %i, with its link kept',
    async (reason, code, retries) => {
      const id = await pair(OWNER);
      simulator.setFaults({ refuse_login: { reason } });
      simulator.setFaults({ cut: true });
      await becomes(id, 'failed');
      const parked = await channel(id);
      expect(parked).toMatchObject({ status_reason: code, phone: OWNER });
      expect(parked.status_until !== null).toBe(retries);
      expect((await stored(scope, id)).credentials).toBe(1);
      simulator.setFaults({ clear: true });
      await startPairing(scope, id, { method: 'qr' });
      simulator.scan(OWNER, await qrOf(id));
      await becomes(id, 'connected');
    },
  );

  it('follows groups as they change', async () => {
    const id = await pair(OWNER);
    await until(async () => (await groups(id)).length === 2);
    simulator.renameGroup(DEMO.class3A, 'Class 4A', OWNER);
    await until(async () => (await subjects(id)).includes('Class 4A'));
    simulator.createGroup('Choir', [CHLOE, OWNER]);
    await until(async () => (await subjects(id)).includes('Choir'));
    simulator.removeMember(DEMO.class3B, OWNER, OWNER);
    await until(async () => !(await subjects(id)).includes('Class 3B'));
    const gone = (await groups(id, 'include')).find(({ subject }) => subject === 'Class 3B');
    expect(gone?.archived_at).not.toBeNull();
    expect(await subjects(id)).toEqual(['Choir', 'Class 4A']);
    const facts = await factsOf(scope);
    expect(facts.filter(type => type.startsWith('group.')).sort()).toEqual([
      'group.added',
      'group.added',
      'group.added',
      'group.archived',
      'group.renamed',
    ]);
  });

  it('tells how its channels fare, and keeps no more than it may', async () => {
    const id = await pair(OWNER);
    await sendTo(id, BEN, 'Hello');
    simulator.setFaults({ number: OWNER, corrupt_inbound: 1 });
    simulator.send(BEN, OWNER, 'damaged at first');
    await until(() => node.inbound.some(({ kind }) => kind === 'text'));
    const [vitals] = node.channels.vitals();
    expect(vitals).toMatchObject({
      channelId: id,
      status: 'connected',
      caughtUp: true,
      decryptFailures: 1,
      deafSockets: 0,
    });
    const sizes = new Map(vitals?.caches.map(({ holds, size }) => [holds, size]));
    expect(sizes.get('on_whatsapp')).toBe(1);
    expect(sizes.get('addresses')).toBeGreaterThan(0);
    expect(vitals?.caches.filter(({ size, limit }) => size > limit)).toEqual([]);
  });

  it('asks for all groups again when told to', async () => {
    const id = await pair(OWNER);
    await until(async () => (await groups(id)).length === 2);
    await inWorkspace(scope, tx =>
      tx.updateTable('groups').set({ subject: 'stale' }).where('channel_id', '=', id).execute(),
    );
    kernel.wake.publish('groups', id);
    await until(async () => (await subjects(id)).includes('Class 3A'));
    expect(await subjects(id)).toEqual(['Class 3A', 'Class 3B']);
  });

  it('comes back after a restart without a new code, and tells what it is while nobody drives it', async () => {
    const id = await pair(OWNER);
    await node.stop();
    expect(await channel(id)).toMatchObject({ status: 'connecting', status_reason: 'restarting' });
    simulator.send(BEN, OWNER, 'while you were away');
    node = await startNode(kernel, simulator);
    await becomes(id, 'connected');
    await until(() => node.inbound.length === 1);
    expect(node.inbound).toMatchObject([{ text: 'while you were away' }]);
    expect(await sendTo(id, BEN, 'back again')).toMatchObject({ outcome: 'accepted' });
    expect(devices(OWNER)).toHaveLength(1);
  });

  it('halts a pairing that was on show when the program ended', async () => {
    const id = await newChannel();
    await startPairing(scope, id, { method: 'qr' });
    await qrOf(id);
    await node.stop();
    node = await startNode(kernel, simulator);
    await becomes(id, 'unpaired');
    expect(await channel(id)).toMatchObject({ status_reason: 'pairing_interrupted' });
    expect(await getPairing(scope, id)).toMatchObject({ step: 'failed', reason: 'interrupted' });
  });

  it('two nodes share the channels, and only one holds a connection of each', async () => {
    const other = await startNode(
      { ...kernel, node: { id: 'other', bootId: crypto.randomUUID() } },
      simulator,
    );
    const ids = [await pair(OWNER, 'One'), await pair(BEN, 'Two')];
    const driven = () =>
      [node, other].flatMap(({ channels }) => channels.driven().map(({ channelId }) => channelId));
    await until(() => driven().length === 2);
    expect(driven().sort()).toEqual([...ids].sort());
    await node.stop();
    await until(() => other.channels.driven().length === 2);
    expect(simulator.connections().open).toHaveLength(2);
    expect(simulator.connections().closed.map(({ reason }) => reason)).not.toContain('replaced');
    await other.stop();
  });

  it('shows that it is connected although the database was away for a moment just then', async () => {
    await node.stop();
    let away = 2;
    const database = new Proxy(kernel.database, {
      get: (target, key) => {
        if (key !== 'inEngine') return Reflect.get(target, key, target);
        const inEngine: Kernel['database']['inEngine'] = (name, work) =>
          name === 'channels.write_status' && away-- > 0
            ? Promise.reject(new Error('connection refused'))
            : target.inEngine(name, work);
        return inEngine;
      },
    });
    node = await startNode({ ...kernel, database }, simulator);
    await pair(OWNER);
    expect(away).toBeLessThan(0);
  });

  it('tells once per connection that a channel has caught up with what had waited for it', async () => {
    const told: string[] = [];
    const deaf = node.channels.onCaughtUp(channelId => told.push(channelId));
    const id = await pair(OWNER);
    await until(() => node.channels.drivenById(id)?.caughtUp());
    expect(told).toEqual([id]);
    const before = node.channels.drivenById(id);
    simulator.setFaults({ cut: true });
    await until(() => told.length === 2);
    deaf();
    expect(told).toEqual([id, id]);
    expect(node.channels.drivenById(id)?.caughtUp()).toBe(true);
    await node.stop();
    expect(before?.caughtUp()).toBe(false);
  });

  it('shows a deaf connection and records it, and goes on when it hears again', async () => {
    await node.stop();
    node = await startNode(kernel, simulator, { everyMs: 100, againMs: 50, answerMs: 500 });
    const id = await pair(OWNER);
    simulator.setFaults({ number: OWNER, deaf: true });
    await until(async () => (await factsOf(scope)).includes('channel.degraded'));
    expect(node.channels.driven()).toEqual([]);
    simulator.setFaults({ clear: true });
    await becomes(id, 'connected');
    expect(await sendTo(id, BEN, 'heard again')).toMatchObject({ outcome: 'accepted' });
  });

  it('tells its listeners when a channel begins and ceases to be able to send', async () => {
    const seen: number[] = [];
    const deaf = node.channels.onChange(() => seen.push(node.channels.driven().length));
    const id = await pair(OWNER);
    simulator.setFaults({ cut: true });
    await until(() => seen.length >= 3);
    deaf();
    expect(seen.slice(0, 3)).toEqual([1, 0, 1]);
    await becomes(id, 'connected');
    expect((await factsOf(scope)).filter(type => type.startsWith('channel.'))).toEqual([
      'channel.created',
      'channel.pairing_started',
      'channel.paired',
      'channel.connected',
      'channel.disconnected',
      'channel.connected',
    ]);
  });
});

async function startNode(
  kernel: Kernel,
  simulator: WhatsAppSimulator,
  liveness: Partial<LivenessTimes> = {},
): Promise<Node> {
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

function stored(scope: Scope, channelId: string): Promise<{ credentials: number; keys: number }> {
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
async function factsOf(scope: Scope): Promise<string[]> {
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

function simulatorRefuses(act: () => unknown): boolean {
  try {
    act();
    return false;
  } catch {
    return true;
  }
}
