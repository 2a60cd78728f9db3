import { sql } from 'kysely';
import { describe, expect, it } from 'vitest';
import type { TestKernel } from '../../test/harness/database.ts';
import { onGround, PHONE } from '../../test/harness/outbox-ground.ts';
import {
  accept,
  ScriptedChannels,
  type ScriptedProvider,
  scriptedChannel,
} from '../../test/harness/scripted-adapter.ts';
import { until } from '../../test/harness/until.ts';
import type { SendOutcome } from '../channels/index.ts';
import { type Kernel, newId, type Scope } from '../kernel/index.ts';
import { createMessages } from './index.ts';
import type { OutboxOptions } from './outbox.ts';
import * as queries from './queries.ts';
import * as service from './service.ts';

const CUT: SendOutcome = { outcome: 'unknown', cause: 'connection_lost' };

let kernel: TestKernel;
let scope: Scope;
let channelId: string;
let provider: ScriptedProvider;

const { running, becomes } = onGround(ground => {
  ({ kernel, scope, channelId, provider } = ground);
});

type InEngine = Kernel['database']['inEngine'];

/** A node whose transactions of one name meet the trouble that `meet` makes of them. */
function startNode(
  name = '',
  meet?: (run: () => Promise<unknown>) => Promise<unknown>,
  options: OutboxOptions = {},
) {
  const database = new Proxy(kernel.database, {
    get: (target, key) => {
      if (key !== 'inEngine') return Reflect.get(target, key, target);
      const inEngine = (of: string, ...rest: [never]) => {
        const run = () => target.inEngine(of, ...rest);
        return of === name && meet ? meet(run) : run();
      };
      return inEngine as InEngine;
    },
  });
  const channels = new ScriptedChannels();
  const messages = createMessages(
    { ...kernel, database, node: { id: 'test', bootId: newId() } },
    channels,
    options,
  );
  running.push(messages);
  messages.start();
  const connect = (behind = false) => channels.connect(provider, scope, channelId, 1, { behind });
  const reconnect = (behind = false) => {
    channels.disconnect(channelId);
    connect(behind);
  };
  return { channels, messages, connect, reconnect };
}

const unreachable = () => Promise.reject(Object.assign(new Error('away'), { code: 'ECONNREFUSED' }));
const send = (body: string, to = channelId) =>
  service.send(scope, { channelId: to, target: { phone: PHONE }, content: { type: 'text', text: { body } } });
const message = (id: string) => queries.get(scope, id);
const inDoubt = (id: string) =>
  until(async () => (await message(id)).delivery.doubt_at, { what: () => `doubt about ${id}` });

describe('an answer', () => {
  it('that waits to be stored is not asked for again when its channel goes and comes back', async () => {
    let away = true;
    const node = startNode('messages.settle', run => (away ? unreachable() : run()));
    node.connect();
    const id = await send('answered');
    await until(() => provider.arrived.length === 1);
    node.reconnect();
    await becomesIdle();
    away = false;
    await becomes(id, 'sent');
    expect(provider.arrived).toHaveLength(1);
  });

  it('that never came does not count as missing on the connection of the send, however late it catches up', async () => {
    let tries = 0;
    provider.script = (wire, deadline) => (tries++ === 0 ? CUT : accept(wire, deadline));
    const node = startNode();
    node.connect(true);
    const id = await send('same connection');
    await inDoubt(id);
    node.channels.catchUp(channelId);
    await becomes(await send('the next'), 'sent');
    expect(provider.texts()).toEqual(['same connection', 'the next']);
    node.reconnect();
    await becomes(id, 'sent');
    expect(provider.texts()).toEqual(['same connection', 'the next', 'same connection']);
  });
});

describe('a re-send', () => {
  it('whose commit has no answer is looked at again', async () => {
    let tries = 0;
    provider.script = (wire, deadline) => (tries++ === 0 ? CUT : accept(wire, deadline));
    let lost = 0;
    const node = startNode('messages.recover', async run => {
      const done = await run();
      return lost-- > 0 ? unreachable() : done;
    });
    node.connect();
    const id = await send('twice recovered');
    await inDoubt(id);
    lost = 1;
    node.reconnect();
    await becomes(id, 'sent');
    expect((await message(id)).attempts).toMatchObject([
      { status: 'unknown' },
      { status: 'deferred', code: 'not_begun' },
      { status: 'accepted' },
    ]);
    expect(provider.arrived).toHaveLength(2);
  });

  it('does not begin on a node that stops', async () => {
    provider.script = () => CUT;
    let blocked: (() => void) | undefined;
    const node = startNode('messages.recover', async run => {
      if (lookedBefore) await new Promise<void>(resolve => (blocked = resolve));
      lookedBefore = true;
      return run();
    });
    let lookedBefore = false;
    node.connect();
    const id = await send('not any more');
    await inDoubt(id);
    node.reconnect();
    await until(() => blocked);
    const stopped = node.messages.stop();
    blocked?.();
    await stopped;
    running.splice(0);
    const arrived = provider.arrived.length;
    await becomesIdle();
    expect(provider.arrived).toHaveLength(arrived);
  });
});

describe('trouble', () => {
  it('at the end does not keep what is on the wire from being waited for', async () => {
    let answer = () => undefined as unknown;
    provider.script = async (wire, deadline) => {
      await new Promise<void>(resolve => {
        answer = resolve;
      });
      return accept(wire, deadline);
    };
    const node = startNode('due.give_back', unreachable, { inFlight: { socket: 1, http: 1 } });
    node.connect();
    const id = await send('on the wire');
    await until(() => provider.arrived.length === 1);
    await send('waits');
    await becomesIdle();
    const stopped = node.messages.stop();
    answer();
    await stopped;
    running.splice(0);
    expect((await message(id)).delivery.status).toBe('sent');
  });

  it('with the database for a moment costs no claim, and is not asked about without a pause', async () => {
    let away = true;
    let asked = 0;
    const node = startNode('messages.begin', run => {
      asked += 1;
      return away ? unreachable() : run();
    });
    node.connect();
    const ids = await Promise.all(Array.from({ length: 20 }, (_, n) => send(`after the outage ${n}`)));
    await until(() => asked > 1);
    expect(asked).toBeLessThan(5);
    away = false;
    for (const id of ids) await becomes(id, 'sent');
    expect(provider.arrived).toHaveLength(20);
  });

  it('with one delivery holds up no other, on its channel or elsewhere', async () => {
    const other = await scriptedChannel(scope);
    const encode = provider.adapter.encode;
    Object.assign(provider.adapter, {
      encode: (content: { type: 'text'; text: { body: string } }) => {
        if (content.text.body === 'poison') throw new TypeError('cannot be put into bytes');
        return encode(content);
      },
    });
    const node = startNode();
    const ids = [
      await send('before'),
      await send('poison'),
      await send('after'),
      await send('elsewhere', other),
    ];
    node.connect();
    node.channels.connect(provider, scope, other);
    for (const id of [ids[0], ids[2], ids[3]]) await becomes(id ?? '', 'sent');
    expect((await message(ids[1] ?? '')).delivery.status).toBe('queued');
  });
});

describe('a window that is over', () => {
  /** The channel has been connected, and driven by a living node, for so many minutes. */
  async function readyFor(minutes: number): Promise<void> {
    await kernel.database.inEngine('test.ready', async tx => {
      const since = sql<Date>`now() - ${minutes}::float8 * interval '1 minute'`;
      await tx
        .updateTable('channels')
        .set({ status: 'connected', wanted: 'connected', status_at: since })
        .where('id', '=', channelId)
        .execute();
      await tx
        .insertInto('leases')
        .values({
          name: `channel:${channelId}`,
          holder: newId(),
          fence: 1,
          taken_at: since,
          expires_at: sql<Date>`now() + interval '1 hour'`,
        })
        .execute();
    });
  }
  const late = (byMinutes: number) =>
    service.sendMany(scope, [
      {
        channelId,
        target: { phone: PHONE },
        content: { type: 'text', text: { body: 'late' } },
        dueAt: new Date(Date.now() - byMinutes * 60_000),
        catchUpMs: 5 * 60_000,
        source: 'reminder',
        sourceId: newId(),
      },
    ]);

  it('makes it missed where the channel has only just come back', async () => {
    await readyFor(0);
    const [id = ''] = await late(30);
    startNode().connect();
    await becomes(id, 'missed');
    expect(provider.arrived).toEqual([]);
  });

  it('does not matter where the channel was there all the time and only slow', async () => {
    await readyFor(60);
    const [id = ''] = await late(30);
    startNode().connect();
    await becomes(id, 'sent');
    expect(provider.texts()).toEqual(['late']);
  });
});

/** Long enough for whatever was about to happen. */
function becomesIdle(): Promise<void> {
  return new Promise(resolve => setTimeout(resolve, 400));
}
