import { createHash } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type TestKernel, testKernel, testWorkspace } from '../../test/harness/database.ts';
import { until } from '../../test/harness/until.ts';
import { digestOf, readActivity, record, recordForInstance } from './activity.ts';
import { inWorkspace } from './database/database.ts';
import { newId } from './ids.ts';
import { createLeases, type Leases } from './leases.ts';
import { follow } from './live.ts';
import { INSTANCE, mintScope, type Scope } from './scope.ts';
import { createSealer, type Sealer } from './sealer.ts';
import { hint } from './wake.ts';

let one: TestKernel;
let two: TestKernel;
const parts: { sealer: Sealer; leases: Leases }[] = [];

beforeAll(async () => {
  one = await testKernel();
  two = await testKernel({ database: one.database });
});
afterAll(async () => {
  await two.close();
  await one.close();
});
afterEach(async () => {
  for (const { sealer, leases } of parts.splice(0)) {
    await sealer.stop();
    await leases.stop();
  }
});

function startSealer(kernel: TestKernel, ttlMs = 30_000) {
  const leases = createLeases(kernel, { ttlMs, renewMs: ttlMs / 4, marginMs: ttlMs / 4 });
  const sealer = createSealer(kernel, leases);
  parts.push({ sealer, leases });
  sealer.start();
  return { sealer, leases };
}

const tell = (scope: Scope, n: number, pauseMs = 0) =>
  inWorkspace(scope, async tx => {
    await record(tx, scope, { type: 'test.told', subject: { type: 'test', id: newId() }, payload: { n } });
    await new Promise(resolve => setTimeout(resolve, pauseMs));
  });

const facts = (scope: Scope, limit = 1_000) => readActivity(scope, { afterSeq: 0, limit });
const numbersIn = (list: { payload?: unknown }[]) => list.map(fact => (fact.payload as { n: number }).n);

function listen(scope: Scope, from: number) {
  const events: { id?: string; event?: string; data: unknown }[] = [];
  let end: () => void = () => undefined;
  follow(
    scope,
    {
      send: event => {
        events.push(event);
        return true;
      },
      onClose: callback => {
        end = callback;
      },
      close: () => undefined,
    },
    from,
  );
  return {
    events,
    end: () => end(),
    seqs: () => events.filter(e => e.event === 'fact').map(e => Number(e.id)),
  };
}

describe('sealer', () => {
  it('numbers facts without gaps although transactions commit out of order', async () => {
    const scope = await testWorkspace(one);
    startSealer(one);
    await Promise.all(Array.from({ length: 50 }, (_, n) => tell(scope, n, (n * 31) % 50)));
    await until(async () => (await facts(scope)).length === 50);
    const sealed = await facts(scope);
    expect(sealed.map(fact => fact.seq)).toEqual(Array.from({ length: 50 }, (_, n) => n + 1));
    expect(numbersIn(sealed).sort((a, b) => a - b)).toEqual(Array.from({ length: 50 }, (_, n) => n));
  });

  it('chains the facts, so that a changed one shows', async () => {
    const scope = await testWorkspace(one);
    startSealer(one);
    const elsewhere = mintScope(one, scope.workspaceId, scope.actor, { address: '203.0.113.7' });
    for (let n = 0; n < 5; n++) await tell(n % 2 ? elsewhere : scope, n);
    await until(async () => (await facts(scope)).length === 5);
    const rows = await one.database.inEngine('test.read', tx =>
      tx
        .selectFrom('activity_seals as s')
        .innerJoin('activity as a', 'a.id', 's.activity_id')
        .select(['s.seq', 's.hash', 'a.id', 'a.type', 'a.actor_kind', 'a.actor_id', 'a.subject_type'])
        .select(['a.subject_id', 'a.address', 'a.occurred_at', 'a.salt', 'a.digest', 'a.payload'])
        .where('s.workspace_id', '=', scope.workspaceId)
        .orderBy('s.seq')
        .execute(),
    );
    let before: Buffer = Buffer.alloc(32);
    for (const row of rows) {
      expect(digestOf(row.salt ?? Buffer.alloc(0), row.payload)).toEqual(row.digest);
      expect(digestOf(row.salt ?? Buffer.alloc(0), { n: 99 })).not.toEqual(row.digest);
      const { seq, id, type, actor_kind, actor_id, address, subject_type, subject_id } = row;
      const fields = [
        scope.workspaceId,
        seq,
        id,
        type,
        actor_kind,
        actor_id,
        address,
        subject_type,
        subject_id,
      ];
      const text = JSON.stringify([...fields, String(row.occurred_at.getTime())]);
      before = createHash('sha256').update(before).update(text).update(row.digest).digest();
      expect(row.hash).toEqual(before);
    }
    expect(rows.map(row => row.address)).toEqual([null, '203.0.113.7', null, '203.0.113.7', null]);
  });

  it('is taken over by the node that stands by, without a gap or a doubled number', async () => {
    const scope = await testWorkspace(one);
    const first = startSealer(one);
    await tell(scope, 0);
    await until(async () => (await facts(scope)).length === 1);
    startSealer(two);
    await first.sealer.stop();
    for (let n = 1; n < 4; n++) await tell(scope, n);
    await until(async () => (await facts(scope)).length === 4);
    expect((await facts(scope)).map(fact => fact.seq)).toEqual([1, 2, 3, 4]);
  });

  it('seals nothing for a holder whose lease was taken over', async () => {
    const scope = await testWorkspace(one);
    startSealer(one);
    await tell(scope, 0);
    await until(async () => (await facts(scope)).length === 1);
    const expiresAt = new Date(Date.now() + 1_500);
    await one.database.inEngine('test.steal', tx =>
      tx
        .updateTable('leases')
        .set(eb => ({ holder: 'thief', fence: eb('fence', '+', 1), expires_at: expiresAt }))
        .where('name', '=', 'sealer')
        .execute(),
    );
    await tell(scope, 1);
    await until(async () => (await facts(scope)).length === 2);
    expect(Date.now()).toBeGreaterThanOrEqual(expiresAt.getTime());
  });

  it('keeps workspaces apart', async () => {
    const [a, b] = [await testWorkspace(one), await testWorkspace(one)];
    startSealer(one);
    await tell(a, 1);
    await tell(b, 2);
    await until(async () => (await facts(a)).length === 1 && (await facts(b)).length === 1);
    expect(numbersIn(await facts(a))).toEqual([1]);
    expect((await facts(b)).map(fact => fact.seq)).toEqual([1]);
  });
});

describe('facts of the whole installation', () => {
  const fact = () => ({ type: 'test.told', subject: { type: 'test', id: newId() }, payload: { n: 1 } });
  const by = { actor: { kind: 'system' }, address: '203.0.113.7' } as const;

  it('are sealed in a chain of their own, which no workspace sees', async () => {
    const scope = await testWorkspace(one);
    startSealer(one);
    const heard = listen(scope, 0);
    await one.database.inEngine('test.tell', tx => recordForInstance(tx, by, fact()));
    await tell(scope, 7);
    const own = await until(async () => {
      const found = await facts(mintScope(one, INSTANCE, by.actor));
      return found.length === 1 && found;
    });
    expect(own).toMatchObject([{ seq: 1, actor: { kind: 'system', id: null }, payload: { n: 1 } }]);
    await until(() => heard.seqs().length === 1);
    expect(heard.events.at(-1)?.data).toMatchObject({ seq: 1, payload: { n: 7 } });
    expect(numbersIn(await facts(scope))).toEqual([7]);
    heard.end();
  });

  it('are not recorded from within a workspace', async () => {
    const scope = await testWorkspace(one);
    const told = inWorkspace(scope, tx => recordForInstance(tx, by, fact()));
    await expect(told).rejects.toMatchObject({ code: '42501' });
  });
});

describe('activity', () => {
  it('is not there when the change that it tells of was rolled back', async () => {
    const scope = await testWorkspace(one);
    startSealer(one);
    const failed = inWorkspace(scope, async tx => {
      await record(tx, scope, { type: 'test.told', subject: { type: 'test', id: newId() }, payload: {} });
      throw new Error('roll back');
    });
    await expect(failed).rejects.toThrow('roll back');
    await tell(scope, 7);
    await until(async () => (await facts(scope)).length > 0);
    expect(numbersIn(await facts(scope))).toEqual([7]);
  });
});

describe('live', () => {
  it('goes on without a gap after a stream broke off, from the last id', async () => {
    const scope = await testWorkspace(one);
    startSealer(one);
    const first = listen(scope, 0);
    for (let n = 0; n < 5; n++) await tell(scope, n);
    await until(() => first.seqs().length === 5);
    const heard = [...first.seqs()];
    first.end();
    for (let n = 5; n < 8; n++) await tell(scope, n);
    const second = listen(scope, 5);
    await tell(scope, 8);
    await until(() => second.seqs().length === 4);
    expect(heard).toEqual([1, 2, 3, 4, 5]);
    expect(second.seqs()).toEqual([6, 7, 8, 9]);
    second.end();
  });

  it('passes hints on after the commit, without an id, and only to their workspace', async () => {
    const [scope, foreign] = [await testWorkspace(one), await testWorkspace(one)];
    const [mine, theirs] = [listen(scope, 0), listen(foreign, 0)];
    await inWorkspace(scope, async () => hint(scope, 'pairing', 'abc'));
    await until(() => mine.events.some(event => event.event === 'hint'));
    expect(mine.events.at(-1)).toEqual({ event: 'hint', data: { topic: 'pairing', id: 'abc' } });
    expect(theirs.events.map(event => event.event)).toEqual(['ready']);
    mine.end();
    theirs.end();
  });
});
