import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type TestKernel, testKernel, testWorkspace } from '../../test/harness/database.ts';
import { until } from '../../test/harness/until.ts';
import { digestOf, readActivity, record } from './activity.ts';
import { BEGINNING, CHAINED_COLUMNS, type ChainedFact, hashOf } from './chain.ts';
import { inWorkspace } from './database/database.ts';
import { newId } from './ids.ts';
import { createLeases, type Leases } from './leases.ts';
import { mintScope, type Scope } from './scope.ts';
import { createSealer, type Sealer } from './sealer.ts';
import { type ChainHead, verifyChain } from './verify-activity.ts';

let kernel: TestKernel;
let leases: Leases;
let sealer: Sealer;
let scope: Scope;
let ids: string[];

beforeAll(async () => {
  kernel = await testKernel();
  leases = createLeases(kernel);
  sealer = createSealer(kernel, leases);
  sealer.start();
});
afterAll(async () => {
  await sealer.stop();
  await leases.stop();
  await kernel.close();
});
beforeEach(async () => {
  const { workspaceId, actor } = await testWorkspace(kernel);
  scope = mintScope(kernel, workspaceId, actor, { address: '203.0.113.7' });
  await tell(6);
});

async function tell(count: number): Promise<void> {
  const before = (await readActivity(scope, { afterSeq: 0, limit: 100 })).length;
  for (let n = 0; n < count; n++)
    await inWorkspace(scope, tx =>
      record(tx, scope, {
        type: 'test.told',
        subject: { type: 'test', id: newId() },
        payload: { n, of: 'a' },
      }),
    );
  const sealed = await until(async () => {
    const found = await readActivity(scope, { afterSeq: 0, limit: 100 });
    return found.length === before + count && found;
  });
  ids = sealed.map(fact => fact.id);
}

/** What somebody can do who holds the password of the database's superuser: no door and no wall is in the way. */
async function asSuperuser<Row = never>(statement: string, params: unknown[] = []): Promise<Row[]> {
  const connection = await kernel.database.engine.acquire();
  try {
    return (await connection.query(statement, params)).rows as Row[];
  } finally {
    connection.release();
  }
}

const verify = (keptHead?: ChainHead) => verifyChain(kernel.database, scope.workspaceId, keptHead);
const flaws = async (keptHead?: ChainHead) => (await verify(keptHead)).flaws;
const idAt = (seq: number) => ids[seq - 1] ?? '';
const own = () => scope.workspaceId;

/** All seals after `seq` made anew over what is there now, and the head with them. */
async function chainAnew(seq: number): Promise<void> {
  const rows = await asSuperuser<ChainedFact & { seq: number }>(
    `select s.seq::int as seq, ${CHAINED_COLUMNS} from activity_seals s join activity a
       on a.workspace_id = s.workspace_id and a.id = s.activity_id where s.workspace_id = $1 order by s.seq`,
    [own()],
  );
  const [before] = await asSuperuser<{ hash: Buffer }>(
    'select hash from activity_seals where workspace_id = $1 and seq = $2',
    [own(), seq],
  );
  let hash: Buffer = Buffer.from(before?.hash ?? BEGINNING);
  for (const [at, row] of rows.filter(one => one.seq > seq).entries()) {
    const next = seq + at + 1;
    hash = hashOf(hash, next, { ...row, digest: Buffer.from(row.digest) });
    const values = [own(), row.id, next, hash];
    await asSuperuser('delete from activity_seals where workspace_id = $1 and seq = $2', [own(), next]);
    await asSuperuser(
      'update activity_seals set seq = $3, hash = $4 where workspace_id = $1 and activity_id = $2',
      values,
    );
    await asSuperuser(
      `insert into activity_seals (workspace_id, activity_id, seq, hash) values ($1, $2, $3, $4)
         on conflict do nothing`,
      values,
    );
    await asSuperuser('update activity_heads set seq = $2, hash = $3 where workspace_id = $1', [
      own(),
      next,
      hash,
    ]);
  }
}

describe('verifying the activity', () => {
  it('finds a whole chain whole, however many batches it takes, and gives its head', async () => {
    const report = await verify();
    expect(report).toMatchObject({ facts: 6, erased: 0, flaws: [], flawCount: 0, head: { seq: 6 } });
    await tell(3);
    expect(await flaws(report.head)).toEqual([]);
    expect(await flaws({ seq: 0, hash: BEGINNING })).toEqual([]);
  });

  it.each([
    ['payload', `update activity set payload = '{"n": 2, "of": "b"}' where id = $1`, 'the payload is not'],
    ['payload, made null', 'update activity set payload = null where id = $1', 'the payload is not'],
    ['salt', `update activity set salt = '\\x00' where id = $1`, 'the payload is not'],
    ['type', `update activity set type = 'test.tolt' where id = $1`, 'the fact, its seal'],
    [
      'time',
      `update activity set occurred_at = occurred_at - interval '1 day' where id = $1`,
      'the fact, its seal',
    ],
    ['person', 'update activity set actor_id = null where id = $1', 'the fact, its seal'],
    ['kind of person', `update activity set actor_kind = 'system' where id = $1`, 'the fact, its seal'],
    ['address', `update activity set address = '198.51.100.1' where id = $1`, 'the fact, its seal'],
    ['subject', 'update activity set subject_id = workspace_id where id = $1', 'the fact, its seal'],
    ['kind of subject', `update activity set subject_type = 'user' where id = $1`, 'the fact, its seal'],
    ['seal', `update activity_seals set hash = '\\x00' where activity_id = $1`, 'the fact, its seal'],
  ])('finds the edited %s of a fact', async (what, statement, flaw) => {
    await asSuperuser(statement, [idAt(3)]);
    const found = await flaws();
    expect(found[0]).toMatch(/^Seal 3 /);
    expect(found.join(' ')).toContain(flaw);
    // A changed seal breaks the next link too; nothing else does.
    expect(found).toHaveLength(what === 'seal' ? 2 : 1);
  });

  it('finds an edited payload although its digest was made to fit', async () => {
    const [row] = await asSuperuser<{ salt: Buffer }>('select salt from activity where id = $1', [idAt(3)]);
    const payload = { n: 99 };
    const digest = digestOf(Buffer.from(row?.salt ?? []), payload);
    await asSuperuser('update activity set payload = $2::jsonb, digest = $3 where id = $1', [
      idAt(3),
      JSON.stringify(payload),
      digest,
    ]);
    expect(await flaws()).toEqual([
      'Seal 3 (test.told): the fact, its seal or the seal before it was changed.',
    ]);
  });

  it('counts a payload that was erased with its salt, and keeps to the chain', async () => {
    await asSuperuser('update activity set payload = null, salt = null where id = $1', [idAt(3)]);
    expect(await verify()).toMatchObject({ facts: 6, erased: 1, flaws: [] });
  });

  it('finds a deleted fact, a deleted seal, and both at once', async () => {
    await asSuperuser('delete from activity where id = $1', [idAt(2)]);
    await asSuperuser('delete from activity_seals where activity_id = $1', [idAt(4)]);
    expect(await flaws()).toEqual([
      'Seal 2: the fact that it was made for is missing.',
      'Seal 4 is missing.',
      `The fact ${idAt(4)} (test.told) was recorded, and has no seal.`,
    ]);
    await asSuperuser('delete from activity_seals where activity_id = any($1::uuid[])', [ids.slice(0, 2)]);
    expect((await flaws())[0]).toBe('Seals 1 to 2 are missing.');
  });

  it('finds an end that was cut off, by the head', async () => {
    await asSuperuser('delete from activity where id = any($1::uuid[])', [ids.slice(4)]);
    await asSuperuser('delete from activity_seals where activity_id = any($1::uuid[])', [ids.slice(4)]);
    expect(await flaws()).toEqual(['The chain ends at seal 4, and the head names 6: its end was cut off.']);
    await asSuperuser('delete from activity_heads where workspace_id = $1', [own()]);
    expect((await flaws())[0]).toContain('and the head names none');
  });

  it('finds an end that was cut off with the head rewritten, by a head that was kept elsewhere', async () => {
    const { head } = await verify();
    await asSuperuser('delete from activity where id = any($1::uuid[])', [ids.slice(4)]);
    await asSuperuser('delete from activity_seals where activity_id = any($1::uuid[])', [ids.slice(4)]);
    await asSuperuser(
      `update activity_heads h set seq = s.seq, hash = s.hash from activity_seals s
         where h.workspace_id = $1 and s.workspace_id = $1 and s.seq = 4`,
      [own()],
    );
    expect(await flaws()).toEqual([]);
    expect(await flaws(head)).toEqual([
      'The chain ends at seal 4, before the head that was kept elsewhere: its end was cut off.',
    ]);
    await asSuperuser('delete from activity where workspace_id = $1', [own()]);
    await asSuperuser('delete from activity_seals where workspace_id = $1', [own()]);
    await asSuperuser('delete from activity_heads where workspace_id = $1', [own()]);
    expect(await flaws()).toEqual([]);
    expect(await flaws(head)).toHaveLength(1);
  });

  it('finds a chain that was written anew, by a head that was kept elsewhere', async () => {
    const { head } = await verify();
    await asSuperuser('update activity set actor_id = null where id = $1', [idAt(3)]);
    await chainAnew(2);
    expect(await flaws()).toEqual([]);
    expect(await flaws(head)).toEqual([
      'Seal 6 is not the one that was kept elsewhere: the chain was written anew.',
    ]);
  });

  it('finds a fact that was put in without a seal', async () => {
    const [row] = await asSuperuser<{ id: string }>(
      `insert into activity (workspace_id, id, type, actor_kind, subject_type, subject_id, digest, occurred_at)
         select workspace_id, $2, 'test.made_up', 'system', subject_type, subject_id, digest, occurred_at
         from activity where id = $1 returning id`,
      [idAt(1), newId()],
    );
    expect(await flaws()).toEqual([`The fact ${row?.id} (test.made_up) was recorded, and has no seal.`]);
  });

  it('tells the first flaws of many, and their number', async () => {
    await tell(24);
    await asSuperuser(`update activity set type = 'test.tolt' where workspace_id = $1`, [own()]);
    const report = await verify();
    expect(report.flawCount).toBe(30);
    expect(report.flaws).toHaveLength(20);
  });

  it('does not take for a flaw what is recorded, waits or is sealed meanwhile', async () => {
    const telling = tell(40);
    const rounds: string[][] = [];
    for (let round = 0; round < 10; round++) rounds.push(await flaws());
    await telling;
    expect(rounds.flat()).toEqual([]);
  });
});
