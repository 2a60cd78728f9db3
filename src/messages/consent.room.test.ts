import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type TestKernel, testEngine, testKernel, testWorkspace } from '../../test/harness/database.ts';
import {
  accept,
  ScriptedChannels,
  ScriptedProvider,
  scriptedChannel,
  scriptedGroup,
} from '../../test/harness/scripted-adapter.ts';
import { until } from '../../test/harness/until.ts';
import type { Inbound } from '../channels/index.ts';
import { inWorkspace, newId, type Scope } from '../kernel/index.ts';
import { createMessages, type Messages } from './index.ts';
import * as queries from './queries.ts';
import * as service from './service.ts';

const PHONE = '+491701234567';
const OTHER = '+491701234568';
const LID = '900000000000002@lid';

let kernel: TestKernel;
let scope: Scope;
let channelId: string;
let provider: ScriptedProvider;
let channels: ScriptedChannels;
let messages: Messages;

beforeAll(async () => {
  kernel = await testKernel();
});
afterAll(() => kernel.close());
beforeEach(async () => {
  provider = new ScriptedProvider();
  scope = await testWorkspace(kernel);
  channelId = await scriptedChannel(scope);
  channels = new ScriptedChannels();
  messages = createMessages(kernel, channels);
  messages.start();
});
afterEach(() => messages.stop());

const text = (body: string) => ({ type: 'text' as const, text: { body } });
const send = (body: string, more: Partial<Parameters<typeof service.send>[1]> = {}) =>
  service.send(scope, { channelId, target: { phone: PHONE }, content: text(body), ...more });

type Text = Extract<Inbound, { kind: 'text' }>;

const written = (body: string, more: Partial<Text> = {}): Text => ({
  kind: 'text',
  key: newId(),
  from: PHONE,
  sender: [{ kind: 'phone', value: PHONE }],
  group: undefined,
  text: body,
  at: new Date(),
  ...more,
});
const handOn = (...inbound: Inbound[]) => messages.inboundSink.inbound(scope.workspaceId, channelId, inbound);

const arrived = () => provider.texts();
const list = async () => (await queries.list(scope, { limit: 50 })).data;
const becomes = (id: string, status: string) =>
  until(async () => (await queries.get(scope, id)).delivery.status === status, {
    what: () => `${status} of ${id}`,
  });

describe('a person who writes STOP', () => {
  it('gets one confirmation through the outbox and nothing else', async () => {
    channels.connect(provider, scope, channelId);
    const stop = written('Stop!');
    await handOn(stop, stop, written('stop'), written('not a word'));
    await handOn(stop);
    await until(() => arrived().length > 0);
    await expect(send('Hello')).rejects.toMatchObject({
      code: 'opted_out',
      status: 403,
      fields: [{ path: 'to.phone' }],
    });
    const sent = await list();
    expect(sent).toMatchObject([{ source: 'consent', to: { phone: PHONE } }]);
    await becomes(sent[0]?.id ?? '', 'sent');
    expect(arrived()).toEqual([expect.stringContaining('write START')]);
  });

  it('is written to again after START, and told so once', async () => {
    channels.connect(provider, scope, channelId);
    await handOn(written('stop'), written('Start'), written('start'));
    await send('Hello again');
    await until(() => arrived().length === 3);
    expect(arrived()).toEqual([
      expect.stringContaining('no more messages'),
      expect.stringContaining('messages from us again'),
      'Hello again',
    ]);
  });

  it('gets a confirmation that is marked as such on each try, and nothing else is', async () => {
    const marked: (boolean | undefined)[] = [];
    provider.script = (wire, deadline) => {
      marked.push(wire.answersOptOut);
      return provider.arrived.length === 1
        ? { outcome: 'unknown', cause: 'connection_lost' }
        : accept(wire, deadline);
    };
    channels.connect(provider, scope, channelId);
    await handOn(written('stop'));
    const [answer] = await list();
    await until(async () => (await queries.get(scope, answer?.id ?? '')).delivery.doubt_at);
    channels.disconnect(channelId);
    channels.connect(provider, scope, channelId, 2);
    await becomes(answer?.id ?? '', 'sent');
    await becomes(await send('Hello', { target: { phone: OTHER } }), 'sent');
    expect(marked).toEqual([true, true, false]);
  });

  it('in a group has said nothing, and groups are written to whoever has opted out', async () => {
    const groupId = await scriptedGroup(scope, channelId, 5);
    await handOn(written('STOP', { group: 'group:1' }));
    await send('Hello');
    await handOn(written('STOP'));
    expect(await send('To all', { target: { group_id: groupId } })).toBeTruthy();
  });

  it('under a LID alone is not answered, and no message goes to a LID', async () => {
    await handOn(written('stop', { from: LID, sender: [{ kind: 'whatsapp_lid', value: LID }] }));
    expect(await list()).toEqual([]);
    await handOn(
      written('stop', {
        sender: [
          { kind: 'phone', value: PHONE },
          { kind: 'whatsapp_lid', value: LID },
        ],
      }),
    );
    await expect(send('Hello')).rejects.toMatchObject({ code: 'opted_out' });
  });

  it('keeps nobody else waiting: one bad message does not swallow the STOP behind it', async () => {
    const broken = written('stop', { sender: [{ kind: 'phone', value: 'no number' }] });
    await expect(handOn(broken, written('stop'))).rejects.toThrow();
    await expect(send('Hello')).rejects.toMatchObject({ code: 'opted_out' });
  });
});

describe('what was accepted before the STOP', () => {
  it('fails at the wire, visibly, and leaves no attempt; to others it goes', async () => {
    const [unwanted, wanted] = [await send('unwanted'), await send('wanted', { target: { phone: OTHER } })];
    await handOn(written('stop'));
    channels.connect(provider, scope, channelId);
    await becomes(wanted, 'sent');
    await becomes(unwanted, 'failed');
    expect(await queries.get(scope, unwanted)).toMatchObject({
      delivery: {
        reason: 'opted_out',
        in_flight_at: null,
        detail: expect.stringContaining('no more messages'),
      },
      attempts: [],
    });
    await until(() => arrived().length === 2);
    expect(arrived().sort()).toEqual([expect.stringContaining('no more messages'), 'wanted']);
    const left = await inWorkspace(scope, tx => tx.selectFrom('due_work').select('kind').execute());
    expect(left).toEqual([]);
  });

  it('is not sent again either when its answer got lost', async () => {
    provider.script = (wire, deadline) =>
      provider.arrived.length <= 2
        ? { outcome: 'unknown', cause: 'connection_lost' }
        : accept(wire, deadline);
    channels.connect(provider, scope, channelId);
    const [unwanted, wanted] = [await send('unwanted'), await send('wanted', { target: { phone: OTHER } })];
    for (const id of [unwanted, wanted])
      await until(async () => (await queries.get(scope, id)).delivery.doubt_at, {
        what: () => `doubt about ${id}`,
      });
    channels.disconnect(channelId);
    await handOn(written('stop'));
    channels.connect(provider, scope, channelId, 2);
    await becomes(wanted, 'sent');
    await until(() => arrived().some(body => body.includes('no more messages')));
    expect(arrived().filter(body => body === 'unwanted')).toHaveLength(1);
    expect(arrived().filter(body => body === 'wanted')).toHaveLength(2);
  });

  it('goes out when START comes in time', async () => {
    await send('later');
    await handOn(written('stop'));
    await handOn(written('start'));
    channels.connect(provider, scope, channelId);
    await until(() => arrived().length === 3);
    expect(arrived()).toContain('later');
  });

  it('in a transaction that was open when the STOP came is kept back as well', async () => {
    const gate = Promise.withResolvers<void>();
    const accepted = Promise.withResolvers<string>();
    const sending = inWorkspace(scope, async () => {
      accepted.resolve(await send('just before'));
      await gate.promise;
    });
    const id = await accepted.promise;
    // The embedded engine has one connection: there the STOP waits for its turn.
    const stopping = handOn(written('stop'));
    if (testEngine() !== 'embedded') await stopping;
    gate.resolve();
    await Promise.all([sending, stopping]);
    channels.connect(provider, scope, channelId);
    await becomes(id, 'failed');
    await until(() => arrived().length > 0);
    expect(arrived()).toEqual([expect.stringContaining('no more messages')]);
  });

  it('is either refused, kept back, or had begun before it, however both fall together', async () => {
    channels.connect(provider, scope, channelId);
    const begunAt = new Map<string, number>();
    let stoppedAt = Number.POSITIVE_INFINITY;
    const ask = (n: number) => send(`n${n}`).catch((error: { code?: string }) => error.code ?? 'fault');
    const sends = Array.from({ length: 40 }, async (_, n) => {
      await new Promise(resolve => setTimeout(resolve, n * 5));
      return ask(n);
    });
    const stopping = new Promise(resolve => setTimeout(resolve, 100))
      .then(() => handOn(written('stop')))
      .then(() => {
        stoppedAt = Date.now();
      });
    const raced = await Promise.all(sends);
    await stopping;
    const answers = [...raced, await ask(40)];
    const ids = answers.filter(answer => answer !== 'opted_out');
    expect(ids.length).toBeLessThan(answers.length);
    await until(async () =>
      (await list()).every(message => message.delivery.ended_at ?? message.delivery.sent_at),
    );
    for (const message of await list()) {
      if (message.source === 'consent') continue;
      const { status, reason, in_flight_at } = message.delivery;
      if (status === 'failed') expect(reason).toBe('opted_out');
      else begunAt.set(message.id, Date.parse(in_flight_at ?? ''));
    }
    expect(await list()).toHaveLength(ids.length + 1);
    expect([...begunAt.values()].filter(at => at > stoppedAt)).toEqual([]);
    expect(arrived().filter(body => body.startsWith('n'))).toHaveLength(begunAt.size);
  });
});

describe('many recipients at once', () => {
  it('fail only for the person who has opted out, visibly', async () => {
    await handOn(written('stop'));
    const phones = ['+491701234568', PHONE, '+491701234569'];
    const ids = await service.sendMany(
      scope,
      phones.map(phone => ({
        channelId,
        target: { phone },
        content: text('rehearsal'),
        dueAt: new Date(Date.now() + 60_000),
        catchUpMs: 60_000,
        source: 'reminder' as const,
        sourceId: newId(),
      })),
    );
    const deliveries = await Promise.all(ids.map(async id => (await queries.get(scope, id)).delivery));
    expect(deliveries).toMatchObject([
      { status: 'queued' },
      { status: 'failed', reason: 'opted_out', detail: expect.stringContaining('no more messages') },
      { status: 'queued' },
    ]);
    const facts = await inWorkspace(scope, tx =>
      tx
        .selectFrom('activity')
        .select('type')
        .where('subject_id', '=', ids[1] ?? '')
        .orderBy('id')
        .execute(),
    );
    expect(facts.map(fact => fact.type)).toEqual(['message.accepted', 'message.failed']);
  });
});
