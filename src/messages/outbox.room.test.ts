import { describe, expect, it, vi } from 'vitest';
import { testKernel } from '../../test/harness/database.ts';
import { type Ground, onGround, PHONE, text } from '../../test/harness/outbox-ground.ts';
import { accept, scriptedChannel } from '../../test/harness/scripted-adapter.ts';
import { until } from '../../test/harness/until.ts';
import { type Kernel, newId } from '../kernel/index.ts';
import type { OutboxOptions } from './outbox.ts';
import * as queries from './queries.ts';
import * as service from './service.ts';

let kernel: Ground['kernel'];
let scope: Ground['scope'];
let channelId: string;
let provider: Ground['provider'];
const { running, statusOf, becomes, sendText, sendLater, leftOver, startNode } = onGround(ground => {
  ({ kernel, scope, channelId, provider } = ground);
});

function startConnected(options: OutboxOptions = {}) {
  const node = startNode(kernel, options);
  node.channels.connect(provider, scope, channelId);
  return node;
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

  it('leaves nothing claimed of a channel that goes elsewhere just before its messages begin', async () => {
    const { channels } = startConnected();
    await becomes(await sendText('stays'), 'sent');
    const asked = vi.spyOn(channels, 'stillDriven').mockImplementationOnce(async () => {
      channels.disconnect(channelId);
      return [];
    });
    const id = await sendText('goes elsewhere');
    await until(() => asked.mock.calls.length > 0);
    const claimed = () =>
      kernel.database.inEngine('test.claimed', tx =>
        tx
          .selectFrom('due_work')
          .select('subject_id')
          .where('workspace_id', '=', scope.workspaceId)
          .where('claimed_by', 'is not', null)
          .execute(),
      );
    await until(async () => (await claimed()).length === 0, { within: 5_000 });
    expect(provider.texts()).toEqual(['stays']);
    channels.connect(provider, scope, channelId, 2);
    await becomes(id, 'sent');
  });

  it('goes on with what it has claimed when a lease was in doubt for a moment, of which nobody tells', async () => {
    const { promise: first, resolve: land } = Promise.withResolvers<void>();
    provider.script = async wire => {
      await first;
      return accept(wire, new Date());
    };
    const { channels } = startConnected({ inFlight: { socket: 1, http: 1 } });
    const ids = [await sendText('one'), await sendText('two')];
    await until(() => provider.arrived.length === 1);
    let isHeld = false;
    Object.assign(channels.drivenById(channelId) ?? {}, { held: () => isHeld });
    land();
    await becomes(ids[0] ?? '', 'sent');
    isHeld = true;
    await becomes(ids[1] ?? '', 'sent');
    expect(provider.texts()).toEqual(['one', 'two']);
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
    const [id] = await sendLater({ dueInMs: 800, catchUpMs: 60_000 });
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

describe('time', () => {
  it('makes it missed when its channel does not connect within the catch-up window', async () => {
    const node = startNode();
    const [id] = await sendLater({ dueInMs: 100, catchUpMs: 400 });
    await becomes(id ?? '', 'missed');
    expect((await queries.get(scope, id ?? '')).delivery.reason).toBe('channel_not_ready');
    node.channels.connect(provider, scope, channelId);
    await sendText('after');
    await until(() => provider.arrived.length > 0);
    expect(provider.texts()).toEqual(['after']);
  });

  it('counts as missed also what is claimed too late', async () => {
    const [id] = await sendLater({ dueInMs: -10_000, catchUpMs: 5_000 });
    await kernel.database.inEngine('test.unwatch', tx =>
      tx.deleteFrom('due_work').where('kind', '=', 'delivery_watch').execute(),
    );
    startConnected();
    await becomes(id ?? '', 'missed');
    expect(provider.arrived).toEqual([]);
  });

  it('sends what is late but within the window', async () => {
    const [id] = await sendLater({ dueInMs: -10_000, catchUpMs: 60_000 });
    startConnected();
    await becomes(id ?? '', 'sent');
    expect(provider.texts()).toEqual(['later']);
  });
});
