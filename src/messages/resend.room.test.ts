import { describe, expect, it } from 'vitest';
import { type TestKernel, testWorkspace } from '../../test/harness/database.ts';
import { onGround, PHONE } from '../../test/harness/outbox-ground.ts';
import {
  accept,
  type Script,
  ScriptedChannels,
  ScriptedProvider,
  scriptedCapabilities,
} from '../../test/harness/scripted-adapter.ts';
import { until } from '../../test/harness/until.ts';
import type { SendOutcome } from '../channels/index.ts';
import { newId, type Scope } from '../kernel/index.ts';
import { createMessages } from './index.ts';
import type { OutboxOptions } from './outbox.ts';
import * as queries from './queries.ts';
import { resolve } from './resolve.ts';
import { changeSendingPolicy } from './sending-policy.ts';
import * as service from './service.ts';

const CUT: SendOutcome = { outcome: 'unknown', cause: 'connection_lost' };

let kernel: TestKernel;
let scope: Scope;
let channelId: string;
let provider: ScriptedProvider;

const { running, statusOf, becomes } = onGround(ground => {
  ({ kernel, scope, channelId, provider } = ground);
});

/** A node of its own on the same database, as another process would be. */
function startNode(options: OutboxOptions = {}) {
  const channels = new ScriptedChannels();
  const node = { ...kernel, node: { id: 'test', bootId: newId() } };
  const messages = createMessages(node, channels, options);
  running.push(messages);
  messages.start();
  let fence = 0;
  const connect = (behind = false) => channels.connect(provider, scope, channelId, ++fence, { behind });
  const reconnect = (behind = false) => {
    channels.disconnect(channelId);
    connect(behind);
  };
  return { channels, messages, connect, reconnect };
}

const send = (body: string) =>
  service.send(scope, { channelId, target: { phone: PHONE }, content: { type: 'text', text: { body } } });
const message = (id: string) => queries.get(scope, id);
const inDoubt = (id: string) =>
  until(async () => (await message(id)).delivery.doubt_at, { what: () => `doubt about ${id}` });
const watched = async (id: string) => {
  const rows = await kernel.database.inEngine('test.watched', tx =>
    tx
      .selectFrom('due_work')
      .innerJoin('deliveries', 'deliveries.id', 'due_work.subject_id')
      .select('subject_id')
      .where('deliveries.message_id', '=', id)
      .execute(),
  );
  return rows.length > 0;
};
const factsOf = async (id: string) => {
  const rows = await kernel.database.inEngine('test.facts', tx =>
    tx
      .selectFrom('activity')
      .select(['type', 'actor_kind'])
      .where('subject_id', '=', id)
      .orderBy('id')
      .execute(),
  );
  return rows.map(row => row.type);
};

/** Answers the first attempts as given, then accepts. */
function answers(...outcomes: SendOutcome[]): Script {
  return (wire, deadline) => outcomes[provider.arrived.length - 1] ?? accept(wire, deadline);
}

describe('a message whose answer got lost with its connection', () => {
  it('goes out again under the same id, with the same bytes to the same address, after the next connect', async () => {
    provider.script = answers(CUT);
    const node = startNode();
    node.connect();
    const id = await send('once on screen');
    await inDoubt(id);
    expect(await statusOf(id)).toBe('in_flight');
    expect(provider.arrived).toHaveLength(1);
    node.reconnect();
    await becomes(id, 'sent');
    const [first, second] = provider.arrived;
    expect(provider.arrived).toHaveLength(2);
    expect(second).toMatchObject({ providerId: first?.providerId, to: first?.to, text: first?.text });
    expect((await message(id)).attempts).toMatchObject([
      { number: 1, status: 'unknown', code: 'connection_lost' },
      { number: 2, status: 'accepted' },
    ]);
  });

  it('waits until the new connection has handed over all that was kept for it', async () => {
    provider.script = answers(CUT);
    const node = startNode();
    node.connect();
    const id = await send('patience');
    await inDoubt(id);
    node.reconnect(true);
    const other = await send('meanwhile');
    await becomes(other, 'sent');
    expect(provider.texts()).toEqual(['patience', 'meanwhile']);
    node.channels.catchUp(channelId);
    await becomes(id, 'sent');
    expect(provider.texts()).toEqual(['patience', 'meanwhile', 'patience']);
  });

  it.each(['a receipt', 'a late answer'])('stays as it is when %s comes first', async sign => {
    provider.script = answers(CUT);
    const node = startNode();
    node.connect();
    const id = await send('it was there');
    await inDoubt(id);
    node.reconnect(true);
    const providerId = provider.arrived[0]?.providerId ?? '';
    const { inboundSink } = node.messages;
    if (sign === 'a receipt')
      await inboundSink.receipts(scope.workspaceId, channelId, [
        { providerId, kind: 'delivered', recipient: PHONE, at: new Date() },
      ]);
    else
      await inboundSink.late(scope.workspaceId, channelId, [
        { providerId, outcome: { outcome: 'accepted', at: new Date(), providerId } },
      ]);
    node.channels.catchUp(channelId);
    await becomes(await send('the next'), 'sent');
    expect(provider.texts()).toEqual(['it was there', 'the next']);
    expect((await message(id)).attempts).toMatchObject([{ status: 'accepted' }]);
  });

  it('is not sent again on the connection that it was sent on', async () => {
    provider.script = answers({ outcome: 'unknown', cause: 'no_answer' });
    const node = startNode({ resendMs: 700 });
    node.connect();
    const id = await send('silence');
    await inDoubt(id);
    await becomes(await send('the next'), 'sent');
    await becomes(id, 'unknown');
    expect(provider.texts()).toEqual(['silence', 'the next']);
  });

  it('becomes unknown when no connection comes in time', async () => {
    provider.script = answers(CUT);
    const node = startNode({ resendMs: 600 });
    node.connect();
    const id = await send('too old');
    await inDoubt(id);
    node.channels.disconnect(channelId);
    await becomes(id, 'unknown');
    node.connect();
    await becomes(await send('the next'), 'sent');
    expect(provider.texts()).toEqual(['too old', 'the next']);
    expect((await message(id)).delivery.reason).toBe('no_answer');
  });

  it('stays on the wire when it is put off, because the first attempt may have arrived', async () => {
    const later: SendOutcome = {
      outcome: 'deferred',
      code: 'rate_limited',
      until: new Date(Date.now() + 500),
    };
    provider.script = answers(CUT, later);
    const node = startNode();
    node.connect();
    const id = await send('put off');
    await inDoubt(id);
    node.reconnect();
    await until(() => provider.arrived.length === 2);
    await expect(service.cancel(scope, id)).rejects.toThrow('cannot be taken back');
    await becomes(id, 'sent');
    expect(new Set(provider.arrived.map(({ providerId }) => providerId)).size).toBe(1);
    expect((await message(id)).attempts.map(({ status }) => status)).toEqual([
      'unknown',
      'deferred',
      'accepted',
    ]);
  });

  it('is unknown, not failed, when the second attempt is refused', async () => {
    provider.script = answers(CUT, { outcome: 'refused', code: 'not_in_group', detail: 'Gone.' });
    const node = startNode();
    node.connect();
    const id = await send('refused later');
    await inDoubt(id);
    node.reconnect();
    await becomes(id, 'unknown');
    expect((await message(id)).attempts.map(({ status }) => status)).toEqual(['unknown', 'refused']);
  });

  it('is refused when the answer to its only attempt comes late, and not unknown', async () => {
    provider.script = answers(CUT);
    const node = startNode();
    node.connect();
    const id = await send('refused after all');
    await inDoubt(id);
    const refused: SendOutcome = { outcome: 'refused', code: 'not_in_group', detail: 'Gone.' };
    await node.messages.inboundSink.late(scope.workspaceId, channelId, [
      { providerId: provider.arrived[0]?.providerId ?? '', outcome: refused },
    ]);
    expect((await message(id)).delivery).toMatchObject({ status: 'failed', reason: 'not_in_group' });
    expect(await watched(id)).toBe(false);
  });

  it('goes out again however often it had been put off before', async () => {
    provider.script = answers(CUT);
    const node = startNode();
    node.connect();
    const id = await send('put off often');
    await inDoubt(id);
    const [last] = (await message(id)).attempts;
    await kernel.database.inEngine('test.number', tx =>
      tx
        .updateTable('attempts')
        .set({ number: 200 })
        .where('provider_id', '=', last?.provider_id ?? '')
        .execute(),
    );
    node.reconnect();
    await becomes(id, 'sent');
    expect((await message(id)).attempts.map(({ number }) => number)).toEqual([200, 201]);
  });

  it('is sent again by one node only, however often the number connects', async () => {
    provider.script = answers(CUT);
    const node = startNode();
    node.connect();
    const id = await send('one owner');
    await inDoubt(id);
    for (let i = 0; i < 5; i++) node.reconnect();
    await becomes(id, 'sent');
    expect(provider.arrived).toHaveLength(2);
  });

  it('is unknown at once in a workspace that never re-sends', async () => {
    await changeSendingPolicy(scope, { resend: false }, undefined);
    provider.script = answers(CUT);
    const node = startNode();
    node.connect();
    const id = await send('never twice on the wire');
    await becomes(id, 'unknown');
    node.reconnect();
    await becomes(await send('the next'), 'sent');
    expect(provider.arrived).toHaveLength(2);
  });
});

describe('a process that is gone', () => {
  const hang: Script = () => new Promise<SendOutcome>(() => undefined);

  it('leaves messages on the wire that the next holder sends again under their ids', async () => {
    provider.script = hang;
    const first = startNode();
    first.connect();
    const id = await send('orphan');
    await until(() => provider.arrived.length === 1);
    running.splice(0);
    provider.script = accept;
    startNode().connect();
    await becomes(id, 'sent');
    expect(provider.arrived.map(({ providerId }) => providerId)).toEqual([
      provider.arrived[0]?.providerId,
      provider.arrived[0]?.providerId,
    ]);
    expect((await message(id)).attempts).toMatchObject([
      { status: 'unknown', code: 'interrupted' },
      { status: 'accepted' },
    ]);
  });

  it('leaves them unknown at once where the provider draws the ids', async () => {
    provider = new ScriptedProvider({ ...scriptedCapabilities, providerId: 'theirs' });
    provider.script = hang;
    const first = startNode();
    first.connect();
    const id = await send('orphan');
    await until(() => provider.arrived.length === 1);
    running.splice(0);
    provider.script = accept;
    startNode().connect();
    await becomes(id, 'unknown');
    expect(provider.arrived).toHaveLength(1);
  });
});

describe('a message that is unknown', () => {
  async function unknownMessage(source: 'api' | 'reminder' = 'api') {
    provider = new ScriptedProvider({ ...scriptedCapabilities, providerId: 'theirs' });
    provider.script = answers(CUT);
    const node = startNode();
    node.connect();
    const [id = ''] = await service.sendMany(scope, [
      {
        channelId,
        target: { phone: PHONE },
        content: { type: 'text', text: { body: 'did it arrive?' } },
        dueAt: new Date(),
        catchUpMs: 60_000,
        source,
        sourceId: source === 'api' ? null : newId(),
      },
    ]);
    await becomes(id, 'unknown');
    return id;
  }

  it('may be said to have arrived', async () => {
    const id = await unknownMessage();
    await resolve(scope, id, 'arrived');
    expect((await message(id)).delivery).toMatchObject({ status: 'sent', reason: null, ended_at: null });
    expect(await factsOf(id)).toEqual([
      'message.accepted',
      'message.unknown',
      'message.sent',
      'message.resolved',
    ]);
  });

  it('may be sent again by a person, once per decision', async () => {
    const id = await unknownMessage();
    const both = await Promise.allSettled([
      resolve(scope, id, 'send_again'),
      resolve(scope, id, 'send_again'),
    ]);
    expect(both.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
    await becomes(id, 'sent');
    expect(provider.texts()).toEqual(['did it arrive?', 'did it arrive?']);
    expect(await factsOf(id)).toEqual([
      'message.accepted',
      'message.unknown',
      'message.sent_again',
      'message.resolved',
      'message.sent',
    ]);
  });

  it('takes a late refusal of what was sent before the decision for no answer to it', async () => {
    const id = await unknownMessage();
    const answer = Promise.withResolvers<SendOutcome>();
    provider.script = () => answer.promise;
    await resolve(scope, id, 'send_again');
    await until(() => provider.arrived.length === 2);
    const [first, second] = provider.arrived;
    const no: SendOutcome = { outcome: 'refused', code: 'too_late', detail: 'No.' };
    await running[0]?.inboundSink.late(scope.workspaceId, channelId, [
      { providerId: first?.providerId ?? '', outcome: no },
    ]);
    expect(await statusOf(id)).toBe('in_flight');
    answer.resolve({ outcome: 'accepted', at: new Date(), providerId: second?.providerId ?? '' });
    await becomes(id, 'sent');
    const statuses = (await message(id)).attempts.map(({ status }) => status);
    expect(statuses).toEqual(['refused', 'accepted']);
  });

  it('may be given up', async () => {
    const id = await unknownMessage();
    await resolve(scope, id, 'give_up');
    expect((await message(id)).delivery).toMatchObject({ status: 'failed', reason: 'given_up' });
  });

  it('waits for no decision once it is settled, and foreign ones do not exist', async () => {
    const id = await unknownMessage();
    await resolve(scope, id, 'arrived');
    await expect(resolve(scope, id, 'give_up')).rejects.toMatchObject({ code: 'illegal_state' });
    const other = await testWorkspace(kernel);
    await expect(resolve(other, id, 'arrived')).rejects.toMatchObject({ code: 'not_found' });
  });

  it('is left to the policy of the workspace by where it comes from', async () => {
    await changeSendingPolicy(scope, { unknown: { reminder: 'give_up' } }, undefined);
    const asked = await unknownMessage('api');
    // Two nodes that drive the channel at once would share the messages.
    await Promise.all(running.splice(0).map(messages => messages.stop()));
    const given = await unknownMessage('reminder');
    await kernel.database.inEngine('test.hurry', tx =>
      tx.updateTable('due_work').set({ due_at: new Date() }).where('kind', '=', 'delivery_watch').execute(),
    );
    await becomes(given, 'failed');
    expect(await statusOf(asked)).toBe('unknown');
  });
});
