import { afterEach, describe, expect, it, vi } from 'vitest';
import { type TestKernel, testWorkspace } from '../../../test/harness/database.ts';
import { onGround, PHONE, text } from '../../../test/harness/outbox-ground.ts';
import {
  accept,
  ScriptedChannels,
  type ScriptedProvider,
  scriptedChannel,
} from '../../../test/harness/scripted-adapter.ts';
import { until } from '../../../test/harness/until.ts';
import { AppError, createCommands, type Kernel, newId, type Scope, type Wake } from '../../kernel/index.ts';
import { createMessages } from '../index.ts';
import * as queries from '../queries.ts';
import * as service from '../service.ts';
import { registerParkingCommands } from './commands.ts';
import { readParkings } from './queries.ts';
import { arm, park } from './service.ts';

const HOUR_MS = 3_600_000;

let kernel: TestKernel;
let scope: Scope;
let channelId: string;
let provider: ScriptedProvider;

const { running, becomes } = onGround(ground => {
  ({ kernel, scope, channelId, provider } = ground);
});
afterEach(() => {
  vi.restoreAllMocks();
});

/** A node of its own on the same database, with the channels connected. */
function startNode(more: Partial<Kernel> = {}, ids = [channelId]) {
  const channels = new ScriptedChannels();
  const messages = createMessages({ ...kernel, node: { id: 'test', bootId: newId() }, ...more }, channels);
  running.push(messages);
  messages.start();
  for (const id of ids) channels.connect(provider, scope, id);
  return channels;
}

/** Hears of nothing that others do. */
const DEAF: Wake = {
  publish: () => undefined,
  on: () => () => undefined,
  start: async () => undefined,
  stop: async () => undefined,
};

const send = (body: string, channel = channelId) =>
  service.send(scope, { channelId: channel, target: { phone: PHONE }, content: text(body) });
/** So many messages that were due `agoMs` ago and may be so late. */
const sendLate = (count: number, catchUpMs: number, agoMs = 0) =>
  service.sendMany(
    scope,
    Array.from({ length: count }, (_, n) => ({
      channelId,
      target: { phone: PHONE },
      content: text(`${n}`),
      dueAt: new Date(Date.now() - agoMs),
      catchUpMs,
      source: 'reminder' as const,
      sourceId: newId(),
    })),
  );
const deliveryOf = async (id: string) => (await queries.get(scope, id)).delivery;

async function refusal(work: Promise<unknown>): Promise<AppError> {
  const error = await work.catch((caught: unknown) => caught);
  if (!(error instanceof AppError)) throw new Error(`Expected a refusal, got ${String(error)}`);
  return error;
}

async function factsOf(subject: string): Promise<string[]> {
  const rows = await kernel.database.inEngine('test.facts', tx =>
    tx.selectFrom('activity').select('type').where('subject_id', '=', subject).orderBy('id').execute(),
  );
  return rows.map(row => row.type);
}

async function rowsOf(table: 'attempts' | 'due_work'): Promise<number> {
  const rows = await kernel.database.inEngine('test.rows', tx =>
    tx.selectFrom(table).select('workspace_id').where('workspace_id', '=', scope.workspaceId).execute(),
  );
  return rows.length;
}

/** Gives a fault a good chance to show. */
const aWhile = (ms = 300) => new Promise(resolve => setTimeout(resolve, ms));

describe('a parked channel', () => {
  it('takes and keeps messages, leaves the others alone, and goes on once it is armed', async () => {
    const other = await scriptedChannel(scope);
    startNode({}, [channelId, other]);
    await park(scope, { channelId, reason: 'moving house' });
    await park(scope, { channelId, reason: 'twice' });
    const kept = await send('kept');
    const gone = await send('gone');
    await becomes(await send('elsewhere', other), 'sent');
    await service.cancel(scope, gone);
    expect(await deliveryOf(kept)).toMatchObject({ status: 'queued', waiting_for: 'parked' });
    expect((await deliveryOf(gone)).status).toBe('cancelled');
    expect(provider.texts()).toEqual(['elsewhere']);
    expect(await readParkings(scope)).toMatchObject({
      data: [{ of: 'channel', channel_id: channelId, reason: 'moving house', waiting: 1, overdue: 0 }],
      waiting: 1,
      overdue: 0,
    });
    await arm(scope, { channelId });
    await becomes(kept, 'sent');
    expect(provider.texts()).toEqual(['elsewhere', 'kept']);
    expect(await factsOf(channelId)).toEqual(['sending.parked', 'sending.armed']);
    expect(await readParkings(scope)).toEqual({ data: [], waiting: 0, overdue: 0 });
    expect((await refusal(arm(scope, { channelId }))).code).toBe('illegal_state');
  });

  it('lets nothing begin from the commit on, and loses nothing of what it stops in the middle', async () => {
    provider.script = async wire => {
      await aWhile(2);
      return accept(wire, new Date());
    };
    startNode();
    const ids = await sendLate(120, HOUR_MS);
    await until(() => provider.arrived.length > 20);
    await park(scope, { channelId, reason: 'stop' });
    const begun = await rowsOf('attempts');
    expect(begun).toBeLessThan(120);
    await aWhile();
    expect(await rowsOf('attempts')).toBe(begun);
    await arm(scope, { channelId });
    for (const id of ids) await becomes(id, 'sent');
    expect(new Set(provider.texts()).size).toBe(120);
    expect(provider.arrived).toHaveLength(120);
  });

  it('is kept by the transaction itself on a node that has not heard of it', async () => {
    startNode({ wake: DEAF });
    await becomes(await send('before'), 'sent');
    await park(scope, { channelId, reason: 'unheard' });
    const kept = await send('after');
    // The node looks once a second by itself.
    await aWhile(1_500);
    expect(provider.texts()).toEqual(['before']);
    expect((await deliveryOf(kept)).status).toBe('queued');
  });

  it('is not claimed over and over', async () => {
    startNode();
    await park(scope, { channelId, reason: 'quiet' });
    await sendLate(300, HOUR_MS);
    await aWhile();
    const opened = vi.spyOn(kernel.database, 'inEngine');
    await aWhile(1_500);
    const names = opened.mock.calls.map(([name]) => name);
    expect(names.filter(name => name === 'messages.begin')).toEqual([]);
    expect(names.filter(name => name === 'due.delivery')).toEqual([]);
    expect(names.filter(name => name === 'due.delivery_watch').length).toBeGreaterThan(0);
  });

  it('misses nothing, shows what is overdue, and wants to know what becomes of it', async () => {
    startNode();
    await park(scope, { channelId, reason: 'restored' });
    const late = await sendLate(3, 200);
    const early = await sendLate(1, HOUR_MS);
    await until(async () => (await readParkings(scope)).overdue === 3);
    await aWhile(1_200);
    for (const id of late) expect((await deliveryOf(id)).status).toBe('queued');
    const refused = await refusal(arm(scope, { channelId }));
    expect(refused).toMatchObject({ status: 422, extra: { waiting: 4, overdue: 3 } });
    expect(refused.fields).toMatchObject([{ path: 'overdue' }]);
    await arm(scope, { channelId, overdue: 'miss' });
    for (const id of late) expect(await deliveryOf(id)).toMatchObject({ status: 'missed', reason: 'parked' });
    await becomes(early[0] ?? '', 'sent');
    expect(provider.arrived).toHaveLength(1);
    await until(async () => (await rowsOf('due_work')) === 0);
  });

  it('sends late what is overdue when that is chosen', async () => {
    const channels = startNode();
    await park(scope, { channelId, reason: 'restored' });
    const late = await sendLate(3, 60_000, HOUR_MS);
    await until(async () => (await readParkings(scope)).overdue === 3);
    channels.disconnect(channelId);
    await arm(scope, { channelId, overdue: 'send' });
    await aWhile();
    for (const id of late) expect((await deliveryOf(id)).status).toBe('queued');
    channels.connect(provider, scope, channelId, 2);
    for (const id of late) await becomes(id, 'sent');
  });

  it('is armed in its own time when much is overdue, and answers at once', async () => {
    const channels = startNode();
    await park(scope, { channelId, reason: 'restored' });
    channels.disconnect(channelId);
    await sendLate(1_100, 60_000, HOUR_MS);
    expect(await arm(scope, { channelId, overdue: 'miss' }, 0)).toBe('arming');
    expect((await readParkings(scope)).data).toHaveLength(1);
    await until(async () => (await readParkings(scope)).data.length === 0);
    const missed = await queries.list(scope, { limit: 1, status: 'missed' });
    expect(missed.data[0]?.delivery.reason).toBe('parked');
  });

  it('sends nothing again, and does so once it is armed', async () => {
    provider.script = () => ({ outcome: 'unknown', cause: 'connection_lost' });
    const channels = startNode();
    const id = await send('in doubt');
    await until(async () => (await deliveryOf(id)).doubt_at);
    await park(scope, { channelId, reason: 'look first' });
    provider.script = accept;
    channels.disconnect(channelId);
    channels.connect(provider, scope, channelId, 2);
    await aWhile();
    expect(provider.arrived).toHaveLength(1);
    expect((await deliveryOf(id)).status).toBe('in_flight');
    await arm(scope, { channelId });
    await becomes(id, 'sent');
    expect(new Set(provider.arrived.map(({ providerId }) => providerId)).size).toBe(1);
  });
});

describe('parking', () => {
  it('of the workspace holds for all its channels, also for those that are armed', async () => {
    startNode();
    await park(scope, { channelId, reason: 'one' });
    await park(scope, { reason: 'all' });
    const [late] = await sendLate(1, 100, 1_000);
    await arm(scope, { channelId });
    await aWhile();
    expect(provider.arrived).toEqual([]);
    expect((await readParkings(scope)).data).toMatchObject([{ of: 'workspace', waiting: 1, overdue: 1 }]);
    await arm(scope, { overdue: 'send' });
    await becomes(late ?? '', 'sent');
    expect(await factsOf(scope.workspaceId)).toEqual(['sending.parked', 'sending.armed']);
  });

  it('of the installation holds on every node, over restarts, and tells every workspace', async () => {
    const commands = createCommands();
    registerParkingCommands(commands, kernel);
    await commands.run('park', { reason: 'restored from a backup' });
    try {
      startNode();
      const [late] = await sendLate(1, 100, 1_000);
      const soon = await send('soon');
      await until(async () => (await readParkings(scope)).waiting === 2);
      await Promise.all(running.splice(0).map(messages => messages.stop()));
      startNode();
      await aWhile();
      expect(provider.arrived).toEqual([]);
      expect((await readParkings(scope)).data).toMatchObject([
        { of: 'instance', reason: 'restored from a backup', parked_by: null, waiting: 2, overdue: 1 },
      ]);
      await expect(commands.run('arm', {})).rejects.toThrow('--overdue');
      await commands.run('arm', { overdue: 'miss' });
      expect(await deliveryOf(late ?? '')).toMatchObject({ status: 'missed', reason: 'parked' });
      await becomes(soon, 'sent');
      expect(await factsOf(scope.workspaceId)).toEqual(['sending.parked', 'sending.armed']);
    } finally {
      await commands.run('arm', { overdue: 'miss' }).catch(() => undefined);
    }
  });

  it('names only channels of its own workspace', async () => {
    const foreign = await scriptedChannel(await testWorkspace(kernel));
    expect(await refusal(park(scope, { channelId: foreign, reason: 'mine?' }))).toMatchObject({
      status: 422,
      fields: [{ path: 'channel_id' }],
    });
  });
});
