import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { blankDatabase, type TestDatabase } from '../../../test/harness/database.ts';
import type { Engine } from './engine.ts';
import { type Migration, migrateDown, migrateUp, readMigrations } from './migrate.ts';
import { ensurePartitions, MIGRATIONS_FOLDER, openDatabase } from './open.ts';

const migrations = readMigrations(MIGRATIONS_FOLDER);
const names = migrations.map(({ name }) => name);

let blank: Omit<TestDatabase, 'database'>;

beforeEach(async () => {
  blank = await blankDatabase();
});
afterEach(() => blank.close());

const fail = (text: string) => {
  throw new Error(text);
};

async function rows<Row>(engine: Engine, text: string): Promise<Row[]> {
  const connection = await engine.acquire();
  try {
    return (await connection.query(text, [])).rows as Row[];
  } finally {
    connection.release();
  }
}

/** Everything that migrations could leave behind. */
const things = async (engine: Engine) => {
  const found = await rows<{ thing: string }>(
    engine,
    `select c.relkind::text || ' ' || c.relname as thing from pg_class c
       where relnamespace = 'public'::regnamespace and c.relname !~ '^schema_migrations'
     union all select 'function ' || proname from pg_proc where pronamespace = 'public'::regnamespace
     union all select 'type ' || typname from pg_type
       where typnamespace = 'public'::regnamespace and typname !~ '^_?schema_migrations'
     order by 1`,
  );
  return found.map(({ thing }) => thing);
};

describe('migrations', () => {
  it('go up, all the way down without a trace, and up again', async () => {
    await openDatabase(blank.engine, fail);
    const before = await things(blank.engine);
    const back = await migrateDown(blank.engine, migrations, migrations.length);
    expect(back).toEqual(names.toReversed());
    expect(await things(blank.engine)).toEqual([]);
    expect(await migrateUp(blank.engine, migrations)).toEqual(names);
    await ensurePartitions(blank.engine);
    expect(await things(blank.engine)).toEqual(before);
  });

  it('leave rows alone that a wrong clock has put beside the partitions', async () => {
    await migrateUp(blank.engine, migrations);
    const connection = await blank.engine.acquire();
    await connection.script(`
      create table activity_rest partition of activity default;
      insert into activity (workspace_id, id, type, actor_kind, subject_type, subject_id, digest, occurred_at)
      select gen_random_uuid(), convoke_first_id(now()), 'a.b', 'system', 'a', gen_random_uuid(), '', now()`);
    connection.release();
    await openDatabase(blank.engine, fail);
    expect(await rows(blank.engine, 'select count(*)::int as count from activity')).toEqual([{ count: 1 }]);
    expect(
      await rows(
        blank.engine,
        `select to_regclass('activity_y' || to_char(now() at time zone 'UTC' + interval '2 months', 'YYYY"m"MM'))
          is not null as there`,
      ),
    ).toEqual([{ there: true }]);
  });

  it('go back one at a time', async () => {
    await migrateUp(blank.engine, migrations);
    for (const name of names.toReversed()) {
      expect(await migrateDown(blank.engine, migrations, 1)).toEqual([name]);
    }
    expect(await migrateDown(blank.engine, migrations, 1)).toEqual([]);
  });

  it('are applied once by several nodes that start together', async () => {
    const applied = await Promise.all([1, 2, 3].map(() => migrateUp(blank.engine, migrations)));
    expect(applied.flat()).toEqual(names);
    const opened = await Promise.all([1, 2, 3].map(() => openDatabase(blank.engine, fail)));
    expect(opened.map(({ walls }) => walls)).toEqual(['roles', 'roles', 'roles']);
  });

  it('all fail when one fails', async () => {
    const broken: Migration = {
      name: '9999_kernel',
      up: 'create table half (id int); select nope',
      down: '',
      checksum: '',
    };
    await expect(migrateUp(blank.engine, [...migrations, broken])).rejects.toMatchObject({ code: '42703' });
    expect(await things(blank.engine)).toEqual([]);
    expect(await migrateUp(blank.engine, migrations)).toEqual(names);
  });

  it('refuse a database whose history is another than theirs', async () => {
    await migrateUp(blank.engine, migrations);
    const between: Migration = { name: '0001_other', up: '', down: '', checksum: '' };
    const changed = migrations.map((migration, index) =>
      index === 0 ? { ...migration, checksum: 'x' } : migration,
    );
    const wrong: [Migration[], string][] = [
      [migrations.slice(0, -1), `The database has the migration "${names.at(-1)}"`],
      [[between, ...migrations], 'does not expect there'],
      [changed, `"${names[0]}" was changed`],
    ];
    for (const [known, message] of wrong) {
      await expect(migrateUp(blank.engine, known)).rejects.toThrow(message);
    }
    expect(await migrateUp(blank.engine, migrations)).toEqual([]);
  });
});

describe('partitions', () => {
  it('cover the months to come, and making them again changes nothing', async () => {
    await openDatabase(blank.engine, fail);
    const partitions = await things(blank.engine);
    await ensurePartitions(blank.engine);
    expect(await things(blank.engine)).toEqual(partitions);
    const [row] = await rows<{ covered: boolean }>(
      blank.engine,
      `select to_regclass('activity' || to_char(now() at time zone 'UTC' + interval '3 months', '"_y"YYYY"m"MM')) is not null
         and to_regclass('activity' || to_char(now() at time zone 'UTC', '"_y"YYYY"m"MM')) is not null
         and to_regclass('activity_rest') is not null as covered`,
    );
    expect(row).toEqual({ covered: true });
  });
});
