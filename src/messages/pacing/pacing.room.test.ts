import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type TestKernel, testKernel, testWorkspace } from '../../../test/harness/database.ts';
import {
  accept,
  ScriptedChannels,
  ScriptedProvider,
  scriptedCapabilities,
  scriptedChannel,
  scriptedGroup,
} from '../../../test/harness/scripted-adapter.ts';
import { until } from '../../../test/harness/until.ts';
import type { PacingAdvice, SendOutcome } from '../../channels/index.ts';
import { AppError, createHttp, type Http, newId, type Scope, systemClock } from '../../kernel/index.ts';
import { createMessages, type Messages } from '../index.ts';
import * as queries from '../queries.ts';
import { registerMessageRoutes } from '../routes.ts';
import type { Pacing } from '../schema.ts';
import * as service from '../service.ts';
import { PACING } from './pace.ts';
import { readPacing } from './queries.ts';
import { changePacing } from './service.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
/** A gap of 6 s on average: nothing of a test waits for it, the clock is set on instead. */
const ADVICE: PacingAdvice = {
  messagesPerMinute: 10,
  burst: 3,
  groupsPerMinute: 6,
  groupBurst: 2,
  newPeoplePerDay: 100,
  warmUpDays: 0,
  warmUpFrom: 1,
};
const RESTRICTED: SendOutcome = {
  outcome: 'refused',
  code: 'account_restricted',
  detail: 'No.',
  restricts: true,
};

let kernel: TestKernel;
let http: Http;
let scope: Scope;
let channelId: string;
let provider: ScriptedProvider;
let aheadMs = 0;
const running: Messages[] = [];

beforeAll(async () => {
  const now = () => new Date(Date.now() + aheadMs);
  kernel = await testKernel({ clock: { ...systemClock, now }, random: () => 0.5 });
  http = await createHttp(kernel, { enter: async () => scope, user: async () => newId() });
  registerMessageRoutes(http);
  await http.app.ready();
});
afterAll(async () => {
  await http.close();
  await kernel.close();
});
beforeEach(async () => {
  aheadMs = 0;
  provider = new ScriptedProvider({ ...scriptedCapabilities, pacing: ADVICE });
  scope = await testWorkspace(kernel);
  channelId = await scriptedChannel(scope);
});
afterEach(async () => {
  await Promise.all(running.splice(0).map(messages => messages.stop()));
});

function startNode(ids = [channelId]) {
  const channels = new ScriptedChannels();
  const messages = createMessages({ ...kernel, node: { id: 'test', bootId: newId() } }, channels);
  running.push(messages);
  messages.start();
  for (const id of ids) channels.connect(provider, scope, id);
  return { channels, messages };
}

/** Sets the clock on; timers do not follow it, so the nodes are told to look. */
function pass(ms: number): void {
  aheadMs += ms;
  kernel.wake.publish(PACING, '');
}

const phone = (n: number) => `+4917012${String(10_000 + n)}`;
const text = (body: string) => ({ type: 'text' as const, text: { body } });
const sendTo = (n: number, body = `to ${n}`) =>
  service.send(scope, { channelId, target: { phone: phone(n) }, content: text(body) });
const many = (count: number, catchUpMs = DAY_MS, to = phone) =>
  service.sendMany(
    scope,
    Array.from({ length: count }, (_, n) => ({
      channelId,
      target: { phone: to(n) },
      content: text(`${n}`),
      dueAt: kernel.clock.now(),
      catchUpMs,
      source: 'reminder' as const,
      sourceId: newId(),
    })),
  );
const deliveryOf = async (id: string) => (await queries.get(scope, id)).delivery;
const becomes = (id: string, status: string) =>
  until(async () => (await deliveryOf(id)).status === status, { what: () => `${status} of ${id}` });
const arrive = (count: number) =>
  until(() => provider.arrived.length === count, { what: () => `${provider.arrived.length} of ${count}` });
/** Gives a fault a good chance to show. */
const aWhile = (ms = 400) => new Promise(resolve => setTimeout(resolve, ms));

async function known(...numbers: number[]): Promise<void> {
  await kernel.database.inEngine('test.known', tx =>
    tx
      .insertInto('known_people')
      .values(numbers.map(n => ({ workspace_id: scope.workspaceId, channel_id: channelId, phone: phone(n) })))
      .execute(),
  );
}

async function facts(type: string): Promise<unknown[]> {
  const rows = await kernel.database.inEngine('test.facts', tx =>
    tx
      .selectFrom('activity')
      .select('payload')
      .where('subject_id', '=', channelId)
      .where('type', '=', type)
      .execute(),
  );
  return rows.map(row => row.payload);
}

async function refusal(work: Promise<unknown>): Promise<AppError> {
  const error = await work.catch((caught: unknown) => caught);
  if (!(error instanceof AppError)) throw new Error(`Expected a refusal, got ${String(error)}`);
  return error;
}

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

describe('a restriction', () => {
  it('stops the channel at once, is shown with its end, and is tried with one message first', async () => {
    provider.script = wire => (provider.arrived.length === 2 ? RESTRICTED : accept(wire, new Date()));
    startNode();
    await known(1, 2, 3, 4, 5);
    await becomes(await sendTo(1), 'sent');
    const refused = await sendTo(2);
    await becomes(refused, 'failed');
    const ids = [await sendTo(3), await sendTo(4), await sendTo(5)];
    await aWhile(1_200);
    expect(provider.arrived).toHaveLength(2);
    const waits = await deliveryOf(ids[0] ?? '');
    expect(waits).toMatchObject({ status: 'queued', waiting_for: 'restriction' });
    const { restriction } = await readPacing(scope, channelId);
    expect(restriction?.reason).toBe('account_restricted');
    expect(waits.waiting_until).toBe(restriction?.until);
    const lasts = Date.parse(restriction?.until ?? '') - Date.parse(restriction?.since ?? '');
    expect(lasts).toBe(HOUR_MS / 2);
    expect(await facts('channel.restricted')).toMatchObject([{ reason: 'account_restricted' }]);

    let answer = () => {};
    provider.script = async wire => {
      await new Promise<void>(resolve => {
        answer = resolve;
      });
      return accept(wire, new Date());
    };
    pass(HOUR_MS / 2 + 1_000);
    await arrive(3);
    await aWhile(1_200);
    expect(provider.arrived).toHaveLength(3);
    provider.script = accept;
    answer();
    await becomes(ids[0] ?? '', 'sent');
    pass(6_000);
    for (const id of ids) await becomes(id, 'sent');
    expect((await readPacing(scope, channelId)).restriction).toBeNull();
  });

  it('lasts longer each time', async () => {
    provider.script = () => RESTRICTED;
    startNode();
    await known(1, 2);
    await becomes(await sendTo(1), 'failed');
    const second = await sendTo(2);
    await aWhile();
    expect(provider.arrived).toHaveLength(1);
    pass(HOUR_MS / 2 + 1_000);
    await becomes(second, 'failed');
    const { restriction } = await readPacing(scope, channelId);
    expect(Date.parse(restriction?.until ?? '') - Date.parse(restriction?.since ?? '')).toBe(HOUR_MS);
    expect(provider.arrived).toHaveLength(2);
  });

  it('is kept over a restart, and ended earlier by a person', async () => {
    provider.script = wire => (provider.arrived.length === 1 ? RESTRICTED : accept(wire, new Date()));
    startNode();
    await known(1, 2);
    await becomes(await sendTo(1), 'failed');
    await Promise.all(running.splice(0).map(messages => messages.stop()));
    startNode();
    const kept = await sendTo(2);
    await aWhile();
    expect(provider.arrived).toHaveLength(1);
    const resumed = await http.app.inject({
      method: 'POST',
      url: `/v1/channels/${channelId}/pacing/resume`,
    });
    expect(resumed.json<Pacing>().restriction).toBeNull();
    await becomes(kept, 'sent');
    expect(await facts('channel.resumed')).toHaveLength(1);
    const again = await http.app.inject({ method: 'POST', url: `/v1/channels/${channelId}/pacing/resume` });
    expect(again.statusCode).toBe(409);
  });

  it('makes what may not be late missed, and says why', async () => {
    provider.script = () => RESTRICTED;
    startNode();
    await known(1, 2);
    await becomes(await sendTo(1), 'failed');
    const [late] = await many(1, 300, () => phone(2));
    await becomes(late ?? '', 'missed');
    expect((await deliveryOf(late ?? '')).reason).toBe('channel_restricted');
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

describe('the settings', () => {
  const patch = (body: object, headers = {}) =>
    http.app.inject({ method: 'PATCH', url: `/v1/channels/${channelId}/pacing`, payload: body, headers });

  it('are changed within bounds, under the version that was seen, and back to what is advised', async () => {
    const changed = await patch({ messages_per_minute: 20, warm_up_days: 3 }, { 'if-match': '"0"' });
    expect(changed.json<Pacing>()).toMatchObject({
      settings: { messages_per_minute: 20, groups_per_minute: 6, new_people_per_day: 100, warm_up_days: 3 },
      advised: { messages_per_minute: 10, warm_up_days: 0 },
      version: 1,
    });
    expect((await patch({ warm_up_days: 1 }, { 'if-match': '"0"' })).statusCode).toBe(412);
    expect((await patch({ messages_per_minute: 31 })).statusCode).toBe(422);
    expect((await patch({ new_people_per_day: 201 })).statusCode).toBe(422);
    const back = await patch({ messages_per_minute: null });
    expect(back.json<Pacing>().settings).toMatchObject({ messages_per_minute: 10, warm_up_days: 3 });
    expect(await facts('pacing.changed')).toHaveLength(2);
  });

  it('exist only for channels of the workspace that are paced', async () => {
    const foreign = await scriptedChannel(await testWorkspace(kernel));
    expect((await refusal(readPacing(scope, foreign))).code).toBe('not_found');
    new ScriptedProvider();
    expect((await refusal(readPacing(scope, channelId))).code).toBe('illegal_state');
  });
});
