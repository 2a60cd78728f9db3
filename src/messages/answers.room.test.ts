import { describe, expect, it } from 'vitest';
import { type Ground, onGround, PHONE } from '../../test/harness/outbox-ground.ts';
import {
  accept,
  ScriptedProvider,
  scriptedCapabilities,
  scriptedGroup,
} from '../../test/harness/scripted-adapter.ts';
import { until } from '../../test/harness/until.ts';
import type { SendOutcome } from '../channels/index.ts';
import type { Kernel } from '../kernel/index.ts';
import type { OutboxOptions } from './outbox.ts';
import * as queries from './queries.ts';

let kernel: Ground['kernel'];
let scope: Ground['scope'];
let channelId: string;
let provider: Ground['provider'];
const { running, statusOf, becomes, sendText, leftOver, startNode } = onGround(ground => {
  ({ kernel, scope, channelId, provider } = ground);
});

function startConnected(options: OutboxOptions = {}) {
  const node = startNode(kernel, options);
  node.channels.connect(provider, scope, channelId);
  return node;
}

/** Where the provider draws the ids, nothing can be sent again by itself. */
const THEIRS = { ...scriptedCapabilities, providerId: 'theirs' as const };

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
