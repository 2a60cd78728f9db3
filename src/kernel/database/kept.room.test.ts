import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type TestDatabase, testDatabase } from '../../../test/harness/database.ts';
import { newId } from '../ids.ts';
import { bytes, instants, kept, list, texts } from './kept.ts';

let ground: TestDatabase;

beforeAll(async () => {
  ground = await testDatabase();
});
afterAll(() => ground.close());

describe('a kept statement', () => {
  it('is prepared once for each door', async () => {
    const one = kept<{ one: number }>('select $1::int as one /* kept twice */');
    const id = newId();
    const names = async () => {
      const find = sql<{ name: string }>`
        select name from pg_prepared_statements where statement like '%kept twice%' and name <> '' order by name`;
      return (await ground.database.inEngine('test.names', tx => find.execute(tx))).rows.length;
    };
    for (let round = 0; round < 20; round++) {
      expect(await ground.database.inEngine('test.kept', tx => one(tx, round))).toEqual([{ one: round }]);
      expect(await ground.database.workspace(id, tx => one(tx, round))).toEqual([{ one: round }]);
    }
    expect(await names()).toBe(2);
  });

  it('is prepared anew when its tables have changed under it, once that has shown', async () => {
    const all = kept('select * from changing');
    const ask = () => ground.database.inEngine('test.changed', tx => all(tx));
    const connection = await ground.engine.acquire();
    await connection.script('create table changing (a int); grant select on changing to convoke_engine');
    connection.release();
    for (let round = 0; round < 3; round++) expect(await ask()).toEqual([]);
    const again = await ground.engine.acquire();
    await again.script('alter table changing add b int; drop table if exists nothing');
    again.release();
    await ask().catch(() => undefined);
    expect(await ask()).toEqual([]);
  });

  it('is not confused by another of the same text', async () => {
    const [a, b] = [kept<{ a: string }>('select $1::text as a'), kept<{ a: string }>('select $1::text as a')];
    const both = await ground.database.inEngine('test.both', async tx => [
      await a(tx, 'x'),
      await b(tx, 'y'),
    ]);
    expect(both).toEqual([[{ a: 'x' }], [{ a: 'y' }]]);
  });
});

describe('lists', () => {
  const read = <T>(type: string, value: string) =>
    ground.database.inEngine('test.list', async tx => {
      const { rows } = await sql<{ value: T }>`
        select value from unnest(${value}::${sql.raw(type)}[]) with ordinality as v(value, n) order by n`.execute(
        tx,
      );
      return rows.map(row => row.value);
    });

  it('bring texts across unchanged, whatever is in them', async () => {
    const all = [
      '',
      'plain',
      'a,b',
      '{}',
      '"',
      '\\',
      '\\"',
      'null',
      'NULL',
      ' x ',
      'line\nbreak',
      "it's",
      '👋',
      null,
    ];
    expect(await read('text', texts(all))).toEqual(all);
  });

  it('bring JSON across unchanged', async () => {
    const all = [{ text: 'He said "no" \\ \n {a,b}' }, { list: [1, null, 'x'] }];
    expect(await read('jsonb', texts(all.map(value => JSON.stringify(value))))).toEqual(all);
  });

  it('bring ids, numbers, truth values, bytes and instants across unchanged', async () => {
    const ids = [newId(), null, newId()];
    expect(await read('uuid', list(ids))).toEqual(ids);
    expect(await read('bigint', list([0, -5, 2 ** 52]))).toEqual([0, -5, 2 ** 52]);
    expect(await read('boolean', list([true, false]))).toEqual([true, false]);
    const parts = [Buffer.alloc(0), Buffer.from([0, 34, 92, 255])];
    expect(await read('bytea', bytes(parts))).toEqual(parts);
    const at = [new Date(), null, new Date(0), new Date('2099-12-31T23:59:59.999Z')];
    const back = await ground.database.inEngine('test.instants', tx =>
      sql<{ at: Date | null }>`
        select to_timestamp(ms / 1000.0::float8) as at from unnest(${instants(at)}::bigint[]) as ms`.execute(
        tx,
      ),
    );
    expect(back.rows.map(row => row.at)).toEqual(at);
  });
});
