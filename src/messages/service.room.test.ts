import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type TestKernel, testKernel, testWorkspace } from '../../test/harness/database.ts';
import { ScriptedProvider, scriptedChannel, scriptedGroup } from '../../test/harness/scripted-adapter.ts';
import { inWorkspace, newId, outsideTransaction, type Scope } from '../kernel/index.ts';
import type { Outcome } from './policy.ts';
import * as queries from './queries.ts';
import * as service from './service.ts';

let kernel: TestKernel;
let scope: Scope;
let channelId: string;

beforeAll(async () => {
  kernel = await testKernel();
  // Makes its kind of channel known.
  new ScriptedProvider();
});
afterAll(() => kernel.close());
beforeEach(async () => {
  scope = await testWorkspace(kernel);
  channelId = await scriptedChannel(scope);
});

const content = (body: string) => ({ type: 'text' as const, text: { body } });
const PHONE = '+491701234567';
type Input = Parameters<typeof service.send>[1];

const send = (more: Partial<Input> = {}) =>
  service.send(scope, { channelId, target: { phone: PHONE }, content: content('hello'), ...more });

const inAnHour = () => new Date(Date.now() + 3_600_000).toISOString();

const rowsOf = (table: 'messages' | 'deliveries' | 'due_work' | 'activity') =>
  inWorkspace(scope, tx => tx.selectFrom(table).select('workspace_id').execute());

describe('accepting a message', () => {
  it('writes message, delivery, due work and fact together', async () => {
    const id = await send({ sendAt: inAnHour() });
    const message = await queries.get(scope, id);
    expect(message).toMatchObject({
      channel_label: 'Scripted',
      to: { phone: PHONE, group_id: null },
      content: content('hello'),
      source: 'api',
      delivery: { status: 'queued' },
      attempts: [],
    });
    expect(await rowsOf('due_work')).toHaveLength(2);
    expect(await rowsOf('activity')).toHaveLength(1);
  });

  it('keeps the subject of a group, so that history stays readable', async () => {
    const groupId = await scriptedGroup(scope, channelId, 5);
    const id = await send({ target: { group_id: groupId } });
    await inWorkspace(scope, tx => tx.updateTable('groups').set({ subject: 'Renamed' }).execute());
    expect((await queries.get(scope, id)).to).toEqual({ group_id: groupId, phone: null, name: 'Choir' });
  });

  const refusals: [string, string, () => Partial<Input> | Promise<Partial<Input>>][] = [
    ['an unknown channel', 'channel_id', () => ({ channelId: newId() })],
    ['an unknown group', 'to.group_id', () => ({ target: { group_id: newId() } })],
    [
      'a group of another channel',
      'to.group_id',
      async () => ({ target: { group_id: await scriptedGroup(scope, await scriptedChannel(scope), 3) } }),
    ],
    ['a number that cannot exist', 'to.phone', () => ({ target: { phone: '+4912' } })],
    [
      'a text over the limit of the channel',
      'content.text.body',
      () => ({ content: content('x'.repeat(1_001)) }),
    ],
    ['a past instant', 'send_at', () => ({ sendAt: new Date(Date.now() - 120_000).toISOString() })],
    [
      'more than a year ahead',
      'send_at',
      () => ({ sendAt: new Date(Date.now() + 367 * 86_400_000).toISOString() }),
    ],
  ];
  it.each(refusals)('refuses %s by naming %s, and writes nothing', async (_what, path, more) => {
    const given = await more();
    await expect(send(given)).rejects.toMatchObject({ code: 'validation_failed', fields: [{ path }] });
    expect(await rowsOf('messages')).toEqual([]);
    expect(await rowsOf('due_work')).toEqual([]);
  });

  it('refuses a group that the channel has left, with its name', async () => {
    const groupId = await scriptedGroup(scope, channelId, 5);
    await inWorkspace(scope, tx => tx.updateTable('groups').set({ archived_at: new Date() }).execute());
    const refused = send({ target: { group_id: groupId } });
    await expect(refused).rejects.toMatchObject({ fields: [{ path: 'to.group_id' }] });
    await expect(refused).rejects.toThrow(/"Choir"/);
  });

  it('takes a text of exactly the limit, counted in characters and not in bytes', async () => {
    expect(await send({ content: content('😀'.repeat(1_000)) })).toBeTruthy();
  });

  it('takes an instant that has just passed as now', async () => {
    const id = await send({ sendAt: new Date(Date.now() - 30_000).toISOString() });
    const { delivery } = await queries.get(scope, id);
    expect(Date.now() - Date.parse(delivery.due_at)).toBeLessThan(10_000);
  });

  it('does not know the channels and messages of another workspace', async () => {
    const id = await send();
    const stranger = await testWorkspace(kernel);
    await expect(queries.get(stranger, id)).rejects.toMatchObject({ code: 'not_found' });
    await expect(service.cancel(stranger, id)).rejects.toMatchObject({ code: 'not_found' });
    const foreign = service.send(stranger, { channelId, target: { phone: PHONE }, content: content('x') });
    await expect(foreign).rejects.toMatchObject({ fields: [{ path: 'channel_id' }] });
  });
});

describe('accepting many', () => {
  it('fails the one whose group is gone and takes the others', async () => {
    const [gone, here] = [await scriptedGroup(scope, channelId, 5), await scriptedGroup(scope, channelId, 5)];
    await inWorkspace(scope, tx =>
      tx.updateTable('groups').set({ archived_at: new Date() }).where('id', '=', gone).execute(),
    );
    const ids = await service.sendMany(
      scope,
      [gone, here].map(group_id => ({
        channelId,
        target: { group_id },
        content: content('rehearsal'),
        dueAt: new Date(Date.now() + 60_000),
        catchUpMs: 60_000,
        source: 'reminder' as const,
        sourceId: newId(),
      })),
    );
    const deliveries = await Promise.all(ids.map(async id => (await queries.get(scope, id)).delivery));
    expect(deliveries).toMatchObject([{ status: 'failed', reason: 'group_archived' }, { status: 'queued' }]);
    expect(await rowsOf('due_work')).toHaveLength(2);
  });
});

describe('the list', () => {
  it('comes newest first in pages without gaps or repeats', async () => {
    const ids: string[] = [];
    for (let n = 0; n < 7; n++) ids.push(await send());
    const seen: string[] = [];
    let cursor: string | undefined;
    do {
      const page = await queries.list(scope, { limit: 3, cursor });
      seen.push(...page.data.map(message => message.id));
      cursor = page.page.next_cursor ?? undefined;
    } while (cursor);
    expect(seen).toEqual(ids.reverse());
  });

  it('is narrowed by channel, status, outcome and source', async () => {
    const other = await scriptedChannel(scope);
    const sourceId = newId();
    const [a, b] = [await send(), await send({ channelId: other, sendAt: inAnHour() })];
    const [c] = await service.sendMany(scope, [
      {
        channelId,
        target: { phone: PHONE },
        content: content('x'),
        dueAt: new Date(),
        catchUpMs: 60_000,
        source: 'reminder',
        sourceId,
      },
    ]);
    await service.cancel(scope, a);
    const ids = async (query: object) =>
      (await queries.list(scope, { limit: 50, ...query })).data.map(message => message.id);
    expect(await ids({ channel_id: other })).toEqual([b]);
    expect(await ids({ status: 'cancelled' })).toEqual([a]);
    expect(await ids({ outcome: 'stopped' satisfies Outcome })).toEqual([a]);
    expect(await ids({ outcome: 'waiting' satisfies Outcome })).toEqual([c, b]);
    expect(await ids({ source_id: sourceId })).toEqual([c]);
    expect(await ids({ source_id: newId() })).toEqual([]);
  });
});

describe('a channel that is removed at the same moment', () => {
  it('takes no message that its removal would not find', async () => {
    let sending: Promise<string> | undefined;
    await inWorkspace(scope, async tx => {
      await tx.selectFrom('channels').select('id').where('id', '=', channelId).forUpdate().execute();
      sending = outsideTransaction(() => send());
      sending.catch(() => undefined);
      await new Promise(resolve => setTimeout(resolve, 150));
      await tx.updateTable('channels').set({ wanted: 'deleted' }).where('id', '=', channelId).execute();
      await service.cancelMessagesOf(tx, scope, channelId);
    });
    await expect(sending).rejects.toMatchObject({ code: 'validation_failed' });
    expect(await rowsOf('due_work')).toEqual([]);
  });
});
