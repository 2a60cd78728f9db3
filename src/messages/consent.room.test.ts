import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type TestKernel, testKernel, testWorkspace } from '../../test/harness/database.ts';
import {
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
