import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type TestKernel, testKernel, testWorkspace } from '../../../test/harness/database.ts';
import { ScriptedProvider, scriptedChannel } from '../../../test/harness/scripted-adapter.ts';
import { until } from '../../../test/harness/until.ts';
import { CommitUnknown, running } from '../../kernel/database/database.ts';
import {
  createLeases,
  inWorkspace,
  type Kernel,
  type Leases,
  newId,
  type Scope,
} from '../../kernel/index.ts';
import type { Adapter, CredentialStore, Inbound, RawInbound, Sink } from '../adapters/contract.ts';
import { takeIn } from '../intake.ts';
import { fenced, type Place } from '../place.ts';
import { HandOn } from './hand-on.ts';
import { createChannels } from './index.ts';

const QUICK = { firstPauseMs: 5, longestPauseMs: 20, tries: 3, asideMs: 60_000 };
const AT = new Date('2026-01-01T12:00:00Z');

describe('handing on what came in', () => {
  let kernel: TestKernel;
  let scope: Scope;
  let channelId: string;
  let nodes: Node[];
  let ends: (() => void)[];

  beforeAll(async () => {
    kernel = await testKernel();
  });
  afterAll(async () => kernel.close());
  beforeEach(async () => {
    scope = await testWorkspace(kernel);
    new ScriptedProvider();
    channelId = await scriptedChannel(scope);
    nodes = [];
    ends = [];
  });
  afterEach(async () => {
    for (const end of ends) end();
    for (const node of nodes) await node.stop();
    await kernel.database.inEngine('test.clean', tx => tx.deleteFrom('channels').execute());
  });

  async function start(
    take: (inbound: Inbound[]) => Promise<void> = async () => undefined,
    database = kernel.database,
    lookMs = 20,
  ): Promise<Node> {
    await want('connected');
    const node = await startNode({ ...kernel, database, node: { id: 'n', bootId: newId() } }, take, lookMs);
    nodes.push(node);
    await until(() => node.lines.length > 0);
    return node;
  }

  /** Transactions of this name are committed, and nobody hears of it. */
  function losingAnswerOf(lost: string): Kernel['database'] {
    return new Proxy(kernel.database, {
      get: (target, key) => {
        if (key !== 'inEngine') return Reflect.get(target, key, target);
        const inEngine: Kernel['database']['inEngine'] = async (name, work, how) => {
          const result = await target.inEngine(name, work, how);
          if (name === lost) throw new CommitUnknown(name, undefined);
          return result;
        };
        return inEngine;
      },
    });
  }

  /** A room that has begun to take something when its node dies. */
  function dying(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    ends.push(resolve);
    return promise;
  }

  function want(wanted: 'connected' | 'unpaired', status = 'connected') {
    return inWorkspace(scope, tx =>
      tx.updateTable('channels').set({ wanted, status }).where('id', '=', channelId).execute(),
    );
  }

  const waiting = () =>
    inWorkspace(scope, tx => tx.selectFrom('intake_pending').selectAll().execute()).then(rows => rows.length);
  const expireLeases = () =>
    kernel.database.inEngine('test.expire', tx =>
      tx
        .updateTable('leases')
        .set({ expires_at: new Date(0) })
        .execute(),
    );

  it('brings each message once and in order, whichever way it was stored, and then forgets it', async () => {
    const node = await start(async () => {
      expect(running()).toBeUndefined();
    });
    await node.line.store.writeKeys([], [text('a', 'first')]);
    await node.line.sink.inbound([text('b', 'second'), text('a', 'first')]);
    await node.line.store.writeKeys([], [text('b', 'second'), text('c', 'third')]);
    await until(async () => node.taken.length === 3 && (await waiting()) === 0);
    expect(node.taken).toEqual(['first', 'second', 'third']);
  });

  it('brings again what a room did not take, and holds up nobody meanwhile', async () => {
    let away = true;
    const node = await start(async () => {
      if (away) throw new Error('The room is not there.');
    });
    await node.line.sink.inbound([text('a', 'first')]);
    await node.line.sink.inbound([text('b', 'second')]);
    await until(() => node.asked > 0);
    expect(await waiting()).toBe(2);
    away = false;
    await until(async () => (await waiting()) === 0);
    expect(node.taken).toEqual(['first', 'second']);
  });

  it('brings what a node left behind that died before it could, in order and before what comes new', async () => {
    const dead = await start(dying);
    await dead.line.sink.inbound([text('a', 'first')]);
    await until(() => dead.asked === 1);
    await dead.line.store.writeKeys([], [text('b', 'second')]);
    await expireLeases();
    const next = await start();
    await next.line.sink.inbound([text('c', 'third')]);
    await until(async () => (await waiting()) === 0);
    expect(next.taken).toEqual(['first', 'second', 'third']);
    expect(dead.taken).toEqual([]);
  });

  it('brings what a channel left behind that is not to be connected any more', async () => {
    const dead = await start(dying);
    await dead.line.sink.inbound([text('a', 'STOP')]);
    await until(() => dead.asked === 1);
    await want('connected', 'failed');
    await expireLeases();
    const next = await startNode({ ...kernel, node: { id: 'n', bootId: newId() } }, async () => undefined);
    nodes.push(next);
    await until(async () => (await waiting()) === 0);
    expect(next.taken).toEqual(['STOP']);
    expect(next.connects).toBe(0);
  });

  it.each(['keys', 'reports'] as const)(
    'brings what was stored although the database’s answer to its %s got lost',
    async way => {
      const node = await start(
        async () => undefined,
        losingAnswerOf(way === 'keys' ? 'channels.write_keys' : 'channels.intake'),
        60_000,
      );
      const raw = [text('a', 'STOP')];
      const stored = way === 'keys' ? node.line.store.writeKeys([], raw) : node.line.sink.inbound(raw);
      await expect(stored).rejects.toThrow(CommitUnknown);
      await until(async () => (await waiting()) === 0);
      expect(node.taken).toEqual(['STOP']);
    },
  );

  it('brings what is found stored although nobody has told of it', async () => {
    const node = await start();
    await node.line.sink.inbound([text('a', 'first')]);
    await until(async () => (await waiting()) === 0);
    await inWorkspace(scope, async tx => {
      const { intake_id } = await tx.selectFrom('intake_keys').select('intake_id').executeTakeFirstOrThrow();
      const row = { workspace_id: scope.workspaceId, channel_id: channelId, intake_id };
      await tx.insertInto('intake_pending').values(row).execute();
    });
    await until(async () => (await waiting()) === 0);
    expect(node.taken).toEqual(['first', 'first']);
  });

  it('shows a placeholder once, and never behind the message that it stood for', async () => {
    const node = await start();
    await node.line.sink.inbound([placeholder('a')]);
    await until(() => node.taken.length === 1);
    await node.line.sink.inbound([placeholder('a')]);
    await node.line.store.writeKeys([], [text('a', 'readable at last')]);
    await until(() => node.taken.length === 2);
    await node.line.sink.inbound([text('b', 'overtook its placeholder')]);
    await node.line.sink.inbound([placeholder('b'), text('c', 'the end')]);
    await until(async () => (await waiting()) === 0 && node.taken.length === 4);
    expect(node.taken).toEqual([
      'undecryptable a',
      'readable at last',
      'overtook its placeholder',
      'the end',
    ]);
    const rows = await inWorkspace(scope, tx =>
      tx.selectFrom('intake').select(['provider_key', 'message_key']).orderBy('id').execute(),
    );
    expect(rows.map(row => `${row.provider_key} of ${row.message_key}`)).toEqual([
      'a|? of a',
      'a of a',
      'b of b',
      'b|? of b',
      'c of c',
    ]);
  });

  it('keeps a fingerprint of the content that only the workspace can compare, and drops nothing by it', async () => {
    const node = await start();
    await node.line.sink.inbound([text('a', 'Yes'), text('b', 'Yes'), text('c', 'No'), placeholder('d')]);
    await until(() => node.taken.length === 4);
    const prints = async () => {
      const rows = await inWorkspace(scope, tx =>
        tx.selectFrom('intake').select('fingerprint').orderBy('id').execute(),
      );
      return rows.map(row => row.fingerprint?.toString('hex'));
    };
    const [a, b, c, d] = await prints();
    expect(a).toMatch(/^[0-9a-f]{64}$/);
    expect([b === a, c === a, d]).toEqual([true, false, undefined]);
    scope = await testWorkspace(kernel);
    channelId = await scriptedChannel(scope);
    await want('connected');
    const elsewhere = await until(() => node.lines.find(line => line !== node.line));
    await elsewhere.sink.inbound([text('a', 'Yes')]);
    expect(await prints()).not.toEqual([a]);
  });

  describe('of which one cannot be taken', () => {
    let leases: Leases;
    let place: Place;

    beforeEach(async () => {
      leases = createLeases(kernel);
      const lease = await leases.acquire(`channel:${channelId}`);
      if (!lease) throw new Error('The lease is not free.');
      place = { kernel, workspaceId: scope.workspaceId, channelId, lease };
    });
    afterEach(async () => leases.stop());

    async function store(...raw: RawInbound[]) {
      const vault = await kernel.secrets.vault(scope.workspaceId);
      await fenced(place, 'test.take_in', tx => takeIn(tx, place, vault, raw));
    }

    it('brings those behind it, and that one again later', async () => {
      await store(text('a', 'good'), text('b', 'poison'), text('c', 'also good'));
      const taken: string[] = [];
      let poisonous = true;
      const take = async (_w: string, _c: string, inbound: Inbound[]) => {
        if (poisonous && inbound.some(one => wordsOf(one) === 'poison')) throw new Error('Cannot be read.');
        taken.push(...inbound.map(wordsOf));
      };
      const handOn = new HandOn(place, { parse }, { inbound: take }, { ...QUICK, asideMs: 300 });
      handOn.wake();
      await until(async () => taken.length === 2 && (await waiting()) === 1);
      expect(taken).toEqual(['good', 'also good']);
      poisonous = false;
      await until(async () => (await waiting()) === 0);
      expect(taken).toEqual(['good', 'also good', 'poison']);
      await handOn.stop();
    });

    it('brings those beside a payload that cannot be opened', async () => {
      await store(text('a', 'moved elsewhere'), text('b', 'good'));
      await kernel.database.inEngine('test.damage', tx =>
        tx
          .updateTable('intake')
          .set({ ciphertext: Buffer.from('nonsense') })
          .where('provider_key', '=', 'a')
          .where('channel_id', '=', channelId)
          .execute(),
      );
      const taken: string[] = [];
      const take = async (_w: string, _c: string, inbound: Inbound[]) => {
        taken.push(...inbound.map(wordsOf));
      };
      const handOn = new HandOn(place, { parse }, { inbound: take }, QUICK);
      handOn.wake();
      await until(async () => taken.length === 1 && (await waiting()) === 1);
      expect(taken).toEqual(['good']);
      await handOn.stop();
    });
  });
});

type Line = { store: CredentialStore; sink: Sink };

type Node = {
  /** The connection that was opened first. */
  readonly line: Line;
  readonly lines: Line[];
  readonly taken: string[];
  readonly asked: number;
  readonly connects: number;
  stop(): Promise<void>;
};

/** A node whose channels say nothing by themselves: the test reports in their name. */
async function startNode(
  kernel: Kernel,
  take: (inbound: Inbound[]) => Promise<void>,
  lookMs = 20,
): Promise<Node> {
  const lines: Line[] = [];
  const taken: string[] = [];
  let asked = 0;
  const adapter: Adapter = {
    ...new ScriptedProvider().adapter,
    parse,
    connect: (store, sink) => {
      lines.push({ store, sink });
      return { send: async () => ({ outcome: 'unknown', cause: 'deaf' }), close: async () => undefined };
    },
  };
  const leases = createLeases(kernel);
  const channels = createChannels(kernel, { leases, adapters: [adapter], lookMs });
  const inbound = async (_workspaceId: string, _channelId: string, messages: Inbound[]) => {
    asked += 1;
    await take(messages);
    taken.push(...messages.map(wordsOf));
  };
  const nothing = async () => undefined;
  channels.plug({ sink: { inbound, receipts: nothing, late: nothing }, payloads: { payloadOf: nothing } });
  await channels.start();
  return {
    get line() {
      const [first] = lines;
      if (!first) throw new Error('Nothing is connected.');
      return first;
    },
    lines,
    taken,
    get asked() {
      return asked;
    },
    get connects() {
      return lines.length;
    },
    stop: async () => {
      await leases.stop();
      await channels.stop();
    },
  };
}

function text(key: string, words: string): RawInbound {
  return { key, kind: 'text', payload: Buffer.from(words), content: Buffer.from(words) };
}

function placeholder(key: string): RawInbound {
  return { key: `${key}|?`, kind: 'undecryptable', payload: Buffer.from(''), standsFor: key };
}

function parse({ key, kind, payload, standsFor }: RawInbound): Inbound[] {
  const from = '+15550000002';
  if (kind === 'undecryptable') return [{ kind, key: standsFor ?? key, from, group: undefined, at: AT }];
  return [
    { kind: 'text', key, from, sender: [], group: undefined, text: Buffer.from(payload).toString(), at: AT },
  ];
}

function wordsOf(inbound: Inbound): string {
  return inbound.kind === 'text' ? inbound.text : `${inbound.kind} ${inbound.key}`;
}
