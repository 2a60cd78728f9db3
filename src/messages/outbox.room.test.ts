import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type TestKernel, testKernel, testWorkspace } from '../../test/harness/database.ts';
import {
  accept,
  ScriptedChannels,
  ScriptedProvider,
  scriptedCapabilities,
  scriptedChannel,
  scriptedGroup,
} from '../../test/harness/scripted-adapter.ts';
import { until } from '../../test/harness/until.ts';
import type { SendOutcome } from '../channels/index.ts';
import { type Kernel, newId, type Scope } from '../kernel/index.ts';
import { createMessages, type Messages } from './index.ts';
import type { OutboxOptions } from './outbox.ts';
import * as queries from './queries.ts';
import * as service from './service.ts';

let kernel: TestKernel;
let scope: Scope;
let channelId: string;
let provider: ScriptedProvider;
const running: Messages[] = [];

beforeAll(async () => {
  kernel = await testKernel();
});
afterAll(() => kernel.close());
beforeEach(async () => {
  provider = new ScriptedProvider();
  scope = await testWorkspace(kernel);
  channelId = await scriptedChannel(scope);
});
afterEach(async () => {
  await Promise.all(running.splice(0).map(messages => messages.stop()));
});

function startNode(node: Kernel = kernel, options: OutboxOptions = {}) {
  const channels = new ScriptedChannels();
  const messages = createMessages(node, channels, options);
  running.push(messages);
  messages.start();
  return { channels, messages };
}

function startConnected(options: OutboxOptions = {}) {
  const node = startNode(kernel, options);
  node.channels.connect(provider, scope, channelId);
  return node;
}

/** Where the provider draws the ids, nothing can be sent again by itself. */
const THEIRS = { ...scriptedCapabilities, providerId: 'theirs' as const };

const text = (body: string) => ({ type: 'text' as const, text: { body } });
const PHONE = '+491701234567';

function sendText(body: string, more: Partial<Parameters<typeof service.send>[1]> = {}) {
  return service.send(scope, { channelId, target: { phone: PHONE }, content: text(body), ...more });
}

const statusOf = async (id: string) => (await queries.get(scope, id)).delivery.status;
const becomes = (id: string, status: string) =>
  until(async () => (await statusOf(id)) === status, { what: () => `${status} of ${id}` });

async function leftOver() {
  const rows = await kernel.database.inEngine('test.left', tx =>
    tx
      .selectFrom('due_work')
      .select(['kind', 'claimed_by'])
      .where('workspace_id', '=', scope.workspaceId)
      .execute(),
  );
  return rows;
}

function oneAhead(options: { dueInMs: number; catchUpMs: number; body?: string }) {
  return service.sendMany(scope, [
    {
      channelId,
      target: { phone: PHONE },
      content: text(options.body ?? 'later'),
      dueAt: new Date(Date.now() + options.dueInMs),
      catchUpMs: options.catchUpMs,
      source: 'reminder',
      sourceId: newId(),
    },
  ]);
}

describe('outbox', () => {
  it('sends a message once and keeps its whole journey', async () => {
    startConnected();
    const id = await sendText('hello');
    await becomes(id, 'sent');
    expect(provider.texts()).toEqual(['hello']);
    const message = await queries.get(scope, id);
    expect(message.delivery).toMatchObject({ recipients: 1, reason: null, ended_at: null });
    expect(message.delivery.sent_at).not.toBeNull();
    expect(message.attempts).toMatchObject([
      { number: 1, status: 'accepted', provider_id: provider.arrived[0]?.providerId },
    ]);
    expect(await leftOver()).toEqual([]);
  });

  it('has the attempt committed, with the very bytes, before anything reaches the wire', async () => {
    const seen: unknown[] = [];
    provider.script = async wire => {
      const row = await kernel.database.inEngine('test.look', tx =>
        tx
          .selectFrom('attempts')
          .select(['status', 'wire_to', 'payload', 'fence'])
          .where('provider_id', '=', wire.providerId)
          .executeTakeFirst(),
      );
      seen.push({ ...row, payload: row?.payload.equals(wire.payload) });
      return accept(wire, new Date());
    };
    const { messages } = startConnected();
    await becomes(await sendText('first the row'), 'sent');
    expect(seen).toEqual([{ status: 'in_flight', wire_to: `tel:${PHONE}`, payload: true, fence: 1 }]);
    const payload = await messages.outboundPayloads.payloadOf(
      scope.workspaceId,
      channelId,
      provider.arrived[0]?.providerId ?? '',
    );
    expect(Buffer.from(payload ?? []).toString()).toBe('first the row');
    expect(
      await messages.outboundPayloads.payloadOf(scope.workspaceId, channelId, 'foreign'),
    ).toBeUndefined();
  });

  it('keeps its places on the wire when claims run out while their messages wait for one', async () => {
    let held: (() => void)[] | undefined = [];
    provider.script = async wire => {
      const { promise, resolve } = Promise.withResolvers<void>();
      if (held) held.push(resolve);
      else resolve();
      await promise;
      return accept(wire, new Date());
    };
    startConnected({ inFlight: { socket: 4, http: 4 } });
    const ids = await service.sendMany(
      scope,
      Array.from({ length: 40 }, (_, n) => ({
        channelId,
        target: { phone: PHONE },
        content: text(`${n}`),
        dueAt: new Date(),
        catchUpMs: 60_000,
        source: 'api' as const,
        sourceId: null,
      })),
    );
    await until(() => held?.length === 4);
    const claims = () =>
      kernel.database.inEngine('test.claims', tx =>
        tx
          .selectFrom('due_work')
          .select(['subject_id', 'claimed_until'])
          .where('workspace_id', '=', scope.workspaceId)
          .where('kind', '=', 'delivery')
          .execute(),
      );
    await kernel.database.inEngine('test.expire', tx =>
      tx
        .updateTable('due_work')
        .set({ claimed_until: new Date(0) })
        .where('workspace_id', '=', scope.workspaceId)
        .where('kind', '=', 'delivery')
        .execute(),
    );
    await until(async () => (await claims()).every(row => Number(row.claimed_until) > 0));
    const waiting = held;
    held = undefined;
    for (const go of waiting) go();
    for (const id of ids) await becomes(id, 'sent');
    expect(provider.texts()).toHaveLength(40);
    held = [];
    const more = await Promise.all(['a', 'b', 'c', 'd'].map(body => sendText(body)));
    await until(() => held?.length === 4, { what: () => `${held?.length} of 4 places` });
    for (const go of held) go();
    for (const id of more) await becomes(id, 'sent');
  });

  it('hands on never early, in order of instants, and at most so many at a time', async () => {
    let flying = 0;
    let most = 0;
    provider.script = async wire => {
      most = Math.max(most, ++flying);
      await new Promise(resolve => setTimeout(resolve, 5));
      flying -= 1;
      return accept(wire, new Date());
    };
    startConnected({ inFlight: { socket: 3, http: 3 } });
    const at = Date.now() + 700;
    const instants = Array.from({ length: 40 }, (_, n) => at + ((n * 17) % 40) * 10);
    await service.sendMany(
      scope,
      instants.map(instant => ({
        channelId,
        target: { phone: PHONE },
        content: text(String(instant)),
        dueAt: new Date(instant),
        catchUpMs: 60_000,
        source: 'api',
        sourceId: null,
      })),
    );
    await until(() => provider.arrived.length === 40);
    expect(provider.arrived.filter(message => message.at < Number(message.text))).toEqual([]);
    expect(provider.texts()).toEqual(instants.map(String).sort());
    expect(most).toBeLessThanOrEqual(3);
  });

  it('lets no channel wait for another that is slow', async () => {
    const other = await scriptedChannel(scope);
    const node = startConnected();
    node.channels.connect(provider, scope, other);
    let release: () => void = () => undefined;
    const held = new Promise<void>(resolve => {
      release = resolve;
    });
    provider.script = async wire => {
      if (wire.payload.length === 4) await held;
      return accept(wire, new Date());
    };
    const slow = await Promise.all(Array.from({ length: 30 }, () => sendText('slow')));
    const quick = await sendText('quick', { channelId: other });
    await becomes(quick, 'sent');
    const waiting = (await Promise.all(slow.map(statusOf))).filter(status => status === 'queued');
    release();
    expect(waiting).toHaveLength(22);
    for (const id of slow) await becomes(id, 'sent');
    expect(provider.arrived).toHaveLength(31);
  });

  it('sends each message once although two nodes believe to drive the channel', async () => {
    const second = await testKernel({ database: kernel.database });
    startConnected();
    startNode(second).channels.connect(provider, scope, channelId, 2);
    const ids = await Promise.all(Array.from({ length: 60 }, (_, n) => sendText(`m${n}`)));
    for (const id of ids) await becomes(id, 'sent');
    expect(provider.texts().sort()).toEqual(Array.from({ length: 60 }, (_, n) => `m${n}`).sort());
    await Promise.all(running.splice(0).map(messages => messages.stop()));
    await second.close();
  });

  it('leaves work to whoever drives the channel, and takes it up when it connects', async () => {
    const node = startNode();
    const id = await sendText('patience');
    await new Promise(resolve => setTimeout(resolve, 200));
    expect(await statusOf(id)).toBe('queued');
    node.channels.connect(provider, scope, channelId);
    await becomes(id, 'sent');
  });

  it('gives claims back when the channel goes elsewhere, so that the next node need not wait', async () => {
    const first = startConnected();
    const [id] = await oneAhead({ dueInMs: 800, catchUpMs: 60_000 });
    await until(async () => (await leftOver()).some(row => row.claimed_by !== null));
    first.channels.disconnect(channelId);
    const secondKernel = await testKernel({ database: kernel.database });
    const second = startNode(secondKernel);
    second.channels.connect(provider, scope, channelId, 2);
    await becomes(id ?? '', 'sent');
    expect(provider.arrived).toHaveLength(1);
    await Promise.all(running.splice(0).map(messages => messages.stop()));
    await secondKernel.close();
  });
});

describe('answers', () => {
  const answers: [string, SendOutcome, object][] = [
    [
      'failed',
      { outcome: 'refused', code: 'not_on_whatsapp', detail: 'This number is not there.' },
      { status: 'failed', reason: 'not_on_whatsapp', detail: 'This number is not there.' },
    ],
    ['unknown', { outcome: 'unknown', cause: 'cut' }, { status: 'unknown', reason: 'no_answer' }],
  ];
  it.each(answers)('make it %s', async (status, outcome, delivery) => {
    provider = new ScriptedProvider(THEIRS);
    provider.script = () => outcome;
    startConnected();
    const id = await sendText('x');
    await becomes(id, status);
    expect((await queries.get(scope, id)).delivery).toMatchObject(delivery);
    expect(await leftOver()).toEqual([]);
  });

  it('may ask for a later try, which is a new attempt under the same id', async () => {
    const untilAt = Date.now() + 600;
    provider.script = (wire, deadline) =>
      provider.arrived.length === 1
        ? { outcome: 'deferred', code: 'rate_limited', until: new Date(untilAt) }
        : accept(wire, deadline);
    startConnected();
    const id = await sendText('again');
    await becomes(id, 'sent');
    expect(provider.arrived[1]?.at).toBeGreaterThanOrEqual(untilAt);
    const { attempts } = await queries.get(scope, id);
    expect(attempts).toMatchObject([
      { number: 1, status: 'deferred', code: 'rate_limited' },
      { number: 2, status: 'accepted' },
    ]);
    expect(new Set(attempts.map(attempt => attempt.provider_id)).size).toBe(1);
  });

  it('that an adapter throws say nothing: unknown', async () => {
    provider = new ScriptedProvider(THEIRS);
    provider.script = () => {
      throw new TypeError('broken adapter');
    };
    startConnected();
    const id = await sendText('x');
    await becomes(id, 'unknown');
    expect((await queries.get(scope, id)).attempts[0]).toMatchObject({
      status: 'unknown',
      code: 'TypeError',
    });
  });

  it('that never come make it unknown, and it is not sent again', async () => {
    provider = new ScriptedProvider(THEIRS);
    provider.script = () => new Promise<SendOutcome>(() => undefined);
    // Overdue half a second from now: the watch waits 5 s beyond the deadline.
    const node = startNode(kernel, { deadlineMs: -4_500 });
    node.channels.connect(provider, scope, channelId);
    const id = await sendText('lost');
    await becomes(id, 'unknown');
    const message = await queries.get(scope, id);
    expect(message.attempts).toMatchObject([{ status: 'unknown', code: 'timeout' }]);
    expect(message.delivery.ended_at).not.toBeNull();
    expect(await leftOver()).toEqual([]);
    expect(provider.arrived).toHaveLength(1);
    running.splice(0);
    await Promise.race([node.messages.stop(), new Promise(resolve => setTimeout(resolve, 500))]);
  });

  it('are stored although the database is away for a moment', async () => {
    let away = 2;
    const database = new Proxy(kernel.database, {
      get: (target, key) => {
        if (key !== 'inEngine') return Reflect.get(target, key, target);
        const inEngine: Kernel['database']['inEngine'] = (name, work) =>
          name === 'messages.settle' && away-- > 0
            ? Promise.reject(new Error('connection refused'))
            : target.inEngine(name, work);
        return inEngine;
      },
    });
    const { channels } = startNode({ ...kernel, database });
    channels.connect(provider, scope, channelId);
    await becomes(await sendText('kept'), 'sent');
    expect(away).toBeLessThan(0);
    expect(provider.arrived).toHaveLength(1);
  });

  it('that come late clear up what was unknown', async () => {
    provider = new ScriptedProvider(THEIRS);
    provider.script = () => ({ outcome: 'unknown', cause: 'cut' });
    const { messages } = startConnected();
    const id = await sendText('late');
    await becomes(id, 'unknown');
    const providerId = provider.arrived[0]?.providerId ?? '';
    await messages.inboundSink.late(scope.workspaceId, channelId, [
      { providerId, outcome: { outcome: 'accepted', at: new Date(), providerId } },
      { providerId: 'foreign', outcome: { outcome: 'accepted', at: new Date(), providerId: 'foreign' } },
    ]);
    const message = await queries.get(scope, id);
    expect(message.delivery).toMatchObject({ status: 'sent', reason: null, ended_at: null });
    expect(message.attempts).toMatchObject([{ status: 'accepted', code: null }]);
  });
});

describe('time', () => {
  it('makes it missed when its channel does not connect within the catch-up window', async () => {
    const node = startNode();
    const [id] = await oneAhead({ dueInMs: 100, catchUpMs: 400 });
    await becomes(id ?? '', 'missed');
    expect((await queries.get(scope, id ?? '')).delivery.reason).toBe('channel_not_ready');
    node.channels.connect(provider, scope, channelId);
    await sendText('after');
    await until(() => provider.arrived.length > 0);
    expect(provider.texts()).toEqual(['after']);
  });

  it('counts as missed also what is claimed too late', async () => {
    const [id] = await oneAhead({ dueInMs: -10_000, catchUpMs: 5_000 });
    await kernel.database.inEngine('test.unwatch', tx =>
      tx.deleteFrom('due_work').where('kind', '=', 'delivery_watch').execute(),
    );
    startConnected();
    await becomes(id ?? '', 'missed');
    expect(provider.arrived).toEqual([]);
  });

  it('sends what is late but within the window', async () => {
    const [id] = await oneAhead({ dueInMs: -10_000, catchUpMs: 60_000 });
    startConnected();
    await becomes(id ?? '', 'sent');
    expect(provider.texts()).toEqual(['later']);
  });
});

describe('cancelling', () => {
  it('holds back what is still queued, even when it is claimed already', async () => {
    startConnected();
    const [id] = await oneAhead({ dueInMs: 700, catchUpMs: 60_000 });
    await until(async () => (await leftOver()).some(row => row.claimed_by !== null));
    await service.cancel(scope, id ?? '');
    const after = await sendText('after', { sendAt: new Date(Date.now() + 900).toISOString() });
    await becomes(after, 'sent');
    expect(provider.texts()).toEqual(['after']);
    expect(await statusOf(id ?? '')).toBe('cancelled');
    expect(await leftOver()).toEqual([]);
  });

  it('is refused once it has left', async () => {
    startConnected();
    const id = await sendText('gone');
    await becomes(id, 'sent');
    await expect(service.cancel(scope, id)).rejects.toMatchObject({ code: 'illegal_state' });
    await expect(service.cancel(scope, newId())).rejects.toMatchObject({ code: 'not_found' });
  });

  it('and sending at the same moment have one winner', async () => {
    startConnected();
    const at = new Date(Date.now() + 400);
    const ids = await service.sendMany(
      scope,
      Array.from({ length: 40 }, (_, n) => ({
        channelId,
        target: { phone: PHONE },
        content: text(`race ${n}`),
        dueAt: at,
        catchUpMs: 60_000,
        source: 'api' as const,
        sourceId: null,
      })),
    );
    await new Promise(resolve => setTimeout(resolve, at.getTime() - Date.now()));
    const results = await Promise.allSettled(ids.map(id => service.cancel(scope, id)));
    await until(async () => {
      const statuses = await Promise.all(ids.map(statusOf));
      return statuses.every(status => status === 'sent' || status === 'cancelled');
    });
    for (const [index, id] of ids.entries()) {
      const cancelled = results[index]?.status === 'fulfilled';
      expect(await statusOf(id)).toBe(cancelled ? 'cancelled' : 'sent');
      expect(provider.texts().includes(`race ${index}`)).toBe(!cancelled);
    }
  });
});

describe('receipts', () => {
  async function sentToGroup(size: number) {
    const node = startConnected();
    const groupId = await scriptedGroup(scope, channelId, size);
    const id = await sendText('to all', { target: { group_id: groupId } });
    await becomes(id, 'sent');
    const providerId = provider.arrived[0]?.providerId ?? '';
    const tell = (recipient: string, kind: 'delivered' | 'read') =>
      node.messages.inboundSink.receipts(scope.workspaceId, channelId, [
        { providerId, kind, recipient, at: new Date() },
      ]);
    return { id, tell };
  }

  it('are counted once each, and reach delivered and read when all have', async () => {
    const { id, tell } = await sentToGroup(4);
    expect((await queries.get(scope, id)).delivery.recipients).toBe(3);
    await Promise.all(['a', 'b', 'a', 'a'].map(who => tell(who, 'delivered')));
    expect((await queries.get(scope, id)).delivery).toMatchObject({ status: 'sent', delivered_count: 2 });
    await tell('c', 'read');
    const all = await queries.get(scope, id);
    expect(all.delivery).toMatchObject({ status: 'delivered', delivered_count: 3, read_count: 1 });
    expect(all.receipts.map(receipt => receipt.kind).sort()).toEqual(['delivered', 'delivered', 'read']);
    await Promise.all(['a', 'b'].map(who => tell(who, 'read')));
    expect(await statusOf(id)).toBe('read');
  });

  it('that overtake the answer are kept, and the answer does not lead back', async () => {
    const { messages, channels } = startNode();
    let release: () => void = () => undefined;
    const held = new Promise<void>(resolve => {
      release = resolve;
    });
    provider.script = async (wire, deadline) => {
      await messages.inboundSink.receipts(scope.workspaceId, channelId, [
        { providerId: wire.providerId, kind: 'delivered', recipient: PHONE, at: new Date() },
      ]);
      await held;
      return accept(wire, deadline);
    };
    channels.connect(provider, scope, channelId);
    const id = await sendText('fast');
    await becomes(id, 'delivered');
    release();
    await until(async () => (await queries.get(scope, id)).attempts[0]?.status === 'accepted');
    expect(await statusOf(id)).toBe('delivered');
    expect(await leftOver()).toEqual([]);
  });

  it('prove that what was unknown has arrived', async () => {
    provider = new ScriptedProvider(THEIRS);
    provider.script = () => ({ outcome: 'unknown', cause: 'cut' });
    const { messages } = startConnected();
    const id = await sendText('arrived after all');
    await becomes(id, 'unknown');
    const providerId = provider.arrived[0]?.providerId ?? '';
    await messages.inboundSink.receipts(scope.workspaceId, channelId, [
      { providerId, kind: 'delivered', recipient: PHONE, at: new Date() },
      { providerId: 'foreign', kind: 'read', recipient: PHONE, at: new Date() },
    ]);
    const message = await queries.get(scope, id);
    expect(message.delivery).toMatchObject({ status: 'delivered', reason: null });
    expect(message.attempts[0]).toMatchObject({ status: 'accepted', code: null });
  });
});

describe('stopping', () => {
  it('waits for what is on the wire and gives back the rest', async () => {
    let release: () => void = () => undefined;
    const held = new Promise<void>(resolve => {
      release = resolve;
    });
    provider.script = async (wire, deadline) => {
      await held;
      return accept(wire, deadline);
    };
    const { messages } = startConnected({ inFlight: { socket: 2, http: 2 } });
    const ids = await Promise.all(Array.from({ length: 6 }, (_, n) => sendText(`s${n}`)));
    await until(() => provider.arrived.length === 2);
    const stopping = messages.stop();
    release();
    await stopping;
    expect(provider.arrived).toHaveLength(2);
    const statuses = await Promise.all(ids.map(statusOf));
    expect(statuses.sort()).toEqual(['queued', 'queued', 'queued', 'queued', 'sent', 'sent']);
    expect((await leftOver()).filter(row => row.claimed_by !== null)).toEqual([]);
  });

  it('by a kill before the commit leaves it queued, for the next node to send once', async () => {
    let dead: boolean | undefined;
    const database = new Proxy(kernel.database, {
      get: (target, key) => {
        if (key !== 'inEngine') return Reflect.get(target, key, target);
        const inEngine: Kernel['database']['inEngine'] = (name, work) =>
          target.inEngine(name, async tx => {
            const result = await work(tx);
            if (name === 'messages.begin') dead ??= true;
            if (dead) throw new Error('killed');
            return result;
          });
        return inEngine;
      },
    });
    const mortal: Kernel = { ...kernel, database, node: { id: 'mortal', bootId: newId() } };
    const first = startNode(mortal);
    first.channels.connect(provider, scope, channelId);
    const id = await sendText('survivor');
    await until(() => dead);
    expect(provider.arrived).toEqual([]);
    expect(await statusOf(id)).toBe('queued');
    await kernel.database.inEngine('test.expire', tx =>
      tx
        .updateTable('due_work')
        .set({ claimed_until: new Date(Date.now() - 1) })
        .execute(),
    );
    startConnected();
    await becomes(id, 'sent');
    expect(provider.texts()).toEqual(['survivor']);
    // The dead do not stop; here it would wait for what it could never store.
    first.channels.disconnect(channelId);
    dead = false;
  });
});
