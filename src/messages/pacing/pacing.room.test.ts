import { describe, expect, it } from 'vitest';
import type { TestKernel } from '../../../test/harness/database.ts';
import { DAY_MS, HOUR_MS, onPacedGround } from '../../../test/harness/paced-ground.ts';
import {
  accept,
  type ScriptedProvider,
  scriptedChannel,
  scriptedGroup,
} from '../../../test/harness/scripted-adapter.ts';
import { newId, type Scope } from '../../kernel/index.ts';
import * as service from '../service.ts';
import { readPacing } from './queries.ts';
import { changePacing } from './service.ts';

let channelId: string;
let kernel: TestKernel;
let provider: ScriptedProvider;
let scope: Scope;

const { aWhile, arrive, becomes, deliveryOf, known, many, pass, phone, running, sendTo, startNode, text } =
  onPacedGround(ground => {
    ({ channelId, kernel, provider, scope } = ground);
  });

describe('a paced channel', () => {
  it('sends a few at once and then one after the other, never late enough to be missed', async () => {
    await kernel.database.inEngine('test.lease', tx =>
      tx
        .insertInto('leases')
        .values({
          name: `channel:${channelId}`,
          holder: 'test',
          fence: 1,
          expires_at: new Date(Date.now() + DAY_MS),
        })
        .execute(),
    );
    await changePacing(scope, channelId, { messages_per_minute: 1 }, undefined);
    startNode();
    const ids = await many(6, 700, () => phone(1));
    await arrive(3);
    await aWhile(1_500);
    expect(provider.arrived).toHaveLength(3);
    const waiting = (await Promise.all(ids.map(deliveryOf))).filter(({ status }) => status === 'queued');
    expect(waiting.map(one => one.waiting_for)).toEqual(['pacing', 'pacing', 'pacing']);
    const untils = waiting.map(one => Date.parse(one.waiting_until ?? '') - kernel.clock.now().getTime());
    expect(Math.min(...untils)).toBeGreaterThan(40_000);
    expect(Math.max(...untils)).toBeLessThan(181_000);
    for (const sent of [4, 5, 6]) {
      pass(60_000);
      await arrive(sent);
    }
    for (const id of ids) await becomes(id, 'sent');
  });

  it('goes on by itself when the next may go', async () => {
    await changePacing(scope, channelId, { messages_per_minute: 30 }, undefined);
    startNode();
    await many(4, DAY_MS, () => phone(1));
    await arrive(3);
    await arrive(4);
    const [third, fourth] = provider.arrived.slice(2).map(({ at }) => at);
    expect((fourth ?? 0) - (third ?? 0)).toBeGreaterThan(1_000);
  });

  it('lets a reminder to two groups through at once', async () => {
    startNode();
    const groups = [await scriptedGroup(scope, channelId, 4), await scriptedGroup(scope, channelId, 5)];
    const started = Date.now();
    const ids = await service.sendMany(
      scope,
      groups.map(group_id => ({
        channelId,
        target: { group_id },
        content: text('tomorrow'),
        dueAt: kernel.clock.now(),
        catchUpMs: 900_000,
        source: 'reminder' as const,
        sourceId: newId(),
      })),
    );
    for (const id of ids) await becomes(id, 'sent');
    expect(Date.now() - started).toBeLessThan(3_000);
  });

  it('keeps what it has spent over a restart, and before anything is on the wire', async () => {
    const spent: number[] = [];
    provider.script = async wire => {
      const rows = await kernel.database.inEngine('test.budget', tx =>
        tx
          .selectFrom('pacing_budgets')
          .select(['messages_at', 'new_people'])
          .where('channel_id', '=', channelId)
          .execute(),
      );
      spent.push(rows[0]?.new_people ?? 0);
      return accept(wire, new Date());
    };
    startNode();
    await many(5);
    await arrive(3);
    expect(Math.min(...spent)).toBeGreaterThan(0);
    await Promise.all(running.splice(0).map(messages => messages.stop()));
    startNode();
    await aWhile();
    expect(provider.arrived).toHaveLength(3);
    pass(12_000);
    await arrive(5);
    expect((await readPacing(scope, channelId)).today.new_people).toBe(5);
  });

  it('delays no other channel, and claims little of a long backlog', async () => {
    const other = await scriptedChannel(scope);
    startNode([channelId, other]);
    await many(2_000);
    await arrive(3);
    const started = Date.now();
    // The other one is of a paced kind as well, with a budget of its own.
    const id = await service.send(scope, {
      channelId: other,
      target: { phone: phone(1) },
      content: text('x'),
    });
    await becomes(id, 'sent');
    expect(Date.now() - started).toBeLessThan(2_000);
    await aWhile(1_500);
    const claimed = await kernel.database.inEngine('test.claims', tx =>
      tx
        .selectFrom('due_work')
        .select('subject_id')
        .where('workspace_id', '=', scope.workspaceId)
        .where('claimed_by', 'is not', null)
        .execute(),
    );
    expect(claimed.length).toBeLessThan(20);
    expect((await readPacing(scope, channelId)).waiting).toBe(1_997);
  });
});

describe('people who are new to a channel', () => {
  it('wait for the next day once the limit is reached, while all others get theirs', async () => {
    await changePacing(scope, channelId, { new_people_per_day: 2, messages_per_minute: 30 }, undefined);
    const { messages } = startNode();
    const strangers = await many(4);
    await arrive(2);
    const sender = { kind: 'phone' as const, value: phone(50) };
    await messages.inboundSink.inbound(scope.workspaceId, channelId, [
      {
        kind: 'text',
        key: 'k1',
        from: sender.value,
        sender: [sender],
        group: undefined,
        text: 'hello',
        at: new Date(),
      },
    ]);
    const group = await scriptedGroup(scope, channelId, 3);
    pass(10_000);
    await becomes(await sendTo(50), 'sent');
    await becomes(await sendTo(0, 'again'), 'sent');
    await becomes(
      await service.send(scope, { channelId, target: { group_id: group }, content: text('all') }),
      'sent',
    );
    expect(provider.arrived).toHaveLength(5);
    const last = await deliveryOf(strangers[3] ?? '');
    expect(last).toMatchObject({ status: 'queued', waiting_for: 'new_people' });
    expect(Date.parse(last.waiting_until ?? '') - kernel.clock.now().getTime()).toBeGreaterThan(23 * HOUR_MS);
    expect((await readPacing(scope, channelId)).today).toMatchObject({ new_people: 2, new_people_limit: 2 });
    pass(DAY_MS);
    for (const id of strangers) await becomes(id, 'sent');
  });

  it('are few while a channel is young', async () => {
    await changePacing(scope, channelId, { new_people_per_day: 10, warm_up_days: 9 }, undefined);
    startNode();
    await many(3);
    await arrive(1);
    expect((await readPacing(scope, channelId)).today.new_people_limit).toBe(1);
    pass(DAY_MS);
    await arrive(3);
    expect((await readPacing(scope, channelId)).today.new_people_limit).toBe(2);
  });

  it('who became known too late for their lane cost nothing', async () => {
    await changePacing(scope, channelId, { new_people_per_day: 1 }, undefined);
    await many(2);
    await known(0, 1);
    startNode();
    await arrive(2);
    expect((await readPacing(scope, channelId)).today.new_people).toBe(0);
  });

  it('are cancelled with the channel and counted while it is parked', async () => {
    await changePacing(scope, channelId, { new_people_per_day: 0 }, undefined);
    const ids = await many(3);
    expect((await readPacing(scope, channelId)).waiting).toBe(3);
    await kernel.database.workspace(scope.workspaceId, tx => service.cancelMessagesOf(tx, scope, channelId));
    for (const id of ids) expect((await deliveryOf(id)).status).toBe('cancelled');
  });
});

describe('a message that is due', () => {
  const seeChannel = (status: string, until: Date | null = null) =>
    kernel.database.inEngine('test.status', tx =>
      tx.updateTable('channels').set({ status, status_until: until }).where('id', '=', channelId).execute(),
    );

  it('says that it waits for its channel, and when that comes back', async () => {
    const backAt = new Date(Date.now() + 60_000);
    await seeChannel('connecting', backAt);
    const id = await sendTo(1);
    expect(await deliveryOf(id)).toMatchObject({
      waiting_for: 'channel',
      waiting_until: backAt.toISOString(),
    });
    await seeChannel('restricted');
    expect(await deliveryOf(id)).toMatchObject({ waiting_for: 'restriction', waiting_until: null });
    await seeChannel('connected');
    expect((await deliveryOf(id)).waiting_for).toBeNull();
  });

  it('waits for nothing before its time', async () => {
    await seeChannel('connecting');
    const later = await service.send(scope, {
      channelId,
      target: { phone: phone(1) },
      content: text('x'),
      sendAt: new Date(Date.now() + HOUR_MS).toISOString(),
    });
    expect((await deliveryOf(later)).waiting_for).toBeNull();
  });
});
