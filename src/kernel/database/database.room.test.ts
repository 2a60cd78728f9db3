import { sql } from 'kysely';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type TestKernel, testKernel, testWorkspace } from '../../../test/harness/database.ts';
import { until } from '../../../test/harness/until.ts';
import { newId } from '../ids.ts';
import type { Scope } from '../scope.ts';
import { afterCommit, inWorkspace, outsideTransaction, running, type Tx } from './database.ts';
import { isUniqueViolation, sqlState } from './engine.ts';

let kernel: TestKernel;
let scope: Scope;

beforeAll(async () => {
  kernel = await testKernel();
});
afterAll(() => kernel.close());
beforeEach(async () => {
  scope = await testWorkspace(kernel);
});

const add = (tx: Tx, key: string) =>
  tx
    .insertInto('idempotency_keys')
    .values({
      workspace_id: scope.workspaceId,
      key,
      request_hash: Buffer.from('hash'),
      expires_at: new Date('2030-01-01T00:00:00Z'),
    })
    .execute();

const keys = async () => {
  const rows = await inWorkspace(scope, tx => tx.selectFrom('idempotency_keys').select('key').execute());
  return rows.map(({ key }) => key).sort();
};

describe('the two doors', () => {
  it('run under their roles', async () => {
    const role = sql<{ current_user: string }>`select current_user`;
    const app = await inWorkspace(scope, tx => role.execute(tx));
    const engine = await kernel.database.inEngine('test.role', tx => role.execute(tx));
    expect([app.rows, engine.rows]).toEqual([
      [{ current_user: 'convoke_app' }],
      [{ current_user: 'convoke_engine' }],
    ]);
  });

  it('join a transaction of the same door', async () => {
    const joined = await inWorkspace(scope, outer => inWorkspace(scope, async inner => inner === outer));
    const engine = await kernel.database.inEngine('test.outer', outer =>
      kernel.database.inEngine('test.inner', async inner => inner === outer),
    );
    expect([joined, engine]).toEqual([true, true]);
  });

  it('refuse another door inside', async () => {
    const other = await testWorkspace(kernel);
    const inEngine = inWorkspace(scope, () => kernel.database.inEngine('test.inner', async () => 1));
    await expect(inEngine).rejects.toThrow('test.inner was opened inside the transaction of workspace:');
    const inOther = inWorkspace(scope, () => inWorkspace(other, async () => 1));
    await expect(inOther).rejects.toThrow('was opened inside the transaction of');
    const inApp = kernel.database.inEngine('test.outer', () => inWorkspace(scope, async () => 1));
    await expect(inApp).rejects.toThrow('was opened inside the transaction of engine');
  });

  it('refuse a workspace id that is none', async () => {
    const opened = async () => kernel.database.workspace("x'; drop table users; --", async () => 1);
    await expect(opened()).rejects.toThrow('Not a workspace id.');
  });
});

describe('a transaction', () => {
  it('takes everything back when the work throws', async () => {
    const work = inWorkspace(scope, async tx => {
      await add(tx, 'a');
      throw new Error('no');
    });
    await expect(work).rejects.toThrow('no');
    expect(await keys()).toEqual([]);
  });

  it('does not commit after a failed statement, even if somebody swallowed its error', async () => {
    const work = inWorkspace(scope, async tx => {
      await add(tx, 'a');
      await add(tx, 'a').catch(() => undefined);
    });
    await expect(work).rejects.toSatisfy(error => isUniqueViolation(error, 'idempotency_keys_pkey'));
    expect(await keys()).toEqual([]);
  });

  it('runs again after a serialization failure, however the work put it', async () => {
    let runs = 0;
    await inWorkspace(scope, async tx => {
      runs += 1;
      await add(tx, `run ${runs}`);
      if (runs > 2) return;
      await sql`do $$ begin raise exception 'clash' using errcode = '40001'; end $$`
        .execute(tx)
        .catch(cause => {
          throw new Error('In other words', { cause });
        });
    });
    expect([runs, await keys()]).toEqual([3, ['run 3']]);
  });

  it('gives up after three runs', async () => {
    let runs = 0;
    const work = inWorkspace(scope, async tx => {
      runs += 1;
      await sql`do $$ begin raise exception 'clash' using errcode = '40P01'; end $$`.execute(tx);
    });
    await expect(work).rejects.toSatisfy(error => sqlState(error) === '40P01');
    expect(runs).toBe(3);
  });

  it('calls back after the commit, not at all after a rollback, and at once outside', async () => {
    const calls: string[] = [];
    await inWorkspace(scope, async () => {
      await inWorkspace(scope, async () => afterCommit(() => calls.push('nested')));
      afterCommit(() => calls.push('committed'));
      expect(calls).toEqual([]);
    });
    const failing = inWorkspace(scope, async () => {
      afterCommit(() => calls.push('rolled back'));
      throw new Error('no');
    });
    await expect(failing).rejects.toThrow('no');
    afterCommit(() => calls.push('outside'));
    expect(calls).toEqual(['nested', 'committed', 'outside']);
  });

  it('is not what a callback after the commit runs in', async () => {
    let seen: unknown = 'not called';
    await inWorkspace(scope, async () => {
      afterCommit(() => {
        seen = running();
      });
    });
    expect(seen).toBeUndefined();
  });

  it('is not joined by a timer that outlives it', async () => {
    let late: Promise<string[]> | undefined;
    await inWorkspace(scope, async tx => {
      setTimeout(() => {
        late = keys();
      }, 0);
      await add(tx, 'a');
    });
    await until(() => late);
    expect(await late).toEqual(['a']);
  });

  it('runs the queries that were asked for together one after the other', async () => {
    await inWorkspace(scope, tx => Promise.all(['a', 'b', 'c', 'd'].map(key => add(tx, key))));
    expect(await keys()).toEqual(['a', 'b', 'c', 'd']);
  });

  it('runs nothing once it is over', async () => {
    const escaped = await inWorkspace(scope, async tx => ({ tx }));
    await expect(add(escaped.tx, 'late')).rejects.toThrow('is over');
    expect(await keys()).toEqual([]);
  });

  it('can be left', async () => {
    const inside = await inWorkspace(scope, async () => outsideTransaction(() => running()));
    expect(inside).toBeUndefined();
  });
});

describe('values', () => {
  it('are the same on every engine', async () => {
    const at = new Date('2026-11-21T06:00:00.123Z');
    const bytes = Buffer.from([0, 1, 254, 255]);
    const id = newId();
    const { rows } = await kernel.database.inEngine('test.values', tx =>
      sql`select ${9_007_199_254_740_991}::int8 as big, ${bytes}::bytea as bytes, ${at}::timestamptz as at,
        ${JSON.stringify({ a: [1, null] })}::jsonb as json, ${id}::uuid as id, ${['a', 'b,"c']}::text[] as list,
        1.5::float8 as float, 1.50::numeric as numeric, null::text as nothing, true as yes`.execute(tx),
    );
    expect(rows).toEqual([
      {
        big: 9_007_199_254_740_991,
        bytes,
        at,
        json: { a: [1, null] },
        id,
        list: ['a', 'b,"c'],
        float: 1.5,
        numeric: '1.50',
        nothing: null,
        yes: true,
      },
    ]);
    expect(Buffer.isBuffer(rows[0] && (rows[0] as { bytes: unknown }).bytes)).toBe(true);
  });

  it('may be large', async () => {
    const text = 'ä'.repeat(3_000_000);
    const { rows } = await kernel.database.inEngine('test.large', tx =>
      sql<{ text: string }>`select ${text}::text as text`.execute(tx),
    );
    expect(rows[0]?.text.length).toBe(text.length);
  });

  it('count changed rows', async () => {
    const result = await inWorkspace(scope, async tx => {
      await add(tx, 'a');
      await add(tx, 'b');
      return tx.updateTable('idempotency_keys').set({ status: 200 }).executeTakeFirst();
    });
    expect(result.numUpdatedRows).toBe(2n);
  });

  it('of an error name the constraint but not the key, which row security hides', async () => {
    const work = inWorkspace(scope, async tx => {
      await add(tx, 'a');
      await add(tx, 'a');
    });
    await expect(work).rejects.toMatchObject({
      code: '23505',
      constraint: 'idempotency_keys_pkey',
      table: 'idempotency_keys',
      detail: undefined,
    });
  });
});

describe('notifications', () => {
  it('arrive after the commit, and not after a rollback', async () => {
    const heard: string[] = [];
    const stop = await kernel.database.engine.listen('test channel', payload => heard.push(payload));
    const notify = (text: string) => sql`select pg_notify('test channel', ${text})`;
    const failing = kernel.database.inEngine('test.rollback', async tx => {
      await notify('lost').execute(tx);
      throw new Error('no');
    });
    await expect(failing).rejects.toThrow('no');
    await kernel.database.inEngine('test.notify', async tx => {
      await notify('first').execute(tx);
    });
    await until(() => heard.length > 0);
    await stop();
    await kernel.database.inEngine('test.notify', tx => notify('second').execute(tx));
    expect(heard).toEqual(['first']);
  });
});

describe('many at once', () => {
  it('all get their turn, and none sees the workspace of another', async () => {
    const scopes = await Promise.all(Array.from({ length: 5 }, () => testWorkspace(kernel)));
    const seen = await Promise.all(
      Array.from({ length: 60 }, (_, turn) => {
        const mine = scopes[turn % scopes.length] ?? scope;
        return inWorkspace(mine, async tx => {
          const rows = await tx.selectFrom('members').select('workspace_id').execute();
          return rows.length === 1 && rows[0]?.workspace_id === mine.workspaceId;
        });
      }),
    );
    expect(seen).toEqual(Array.from({ length: 60 }, () => true));
  });
});
