import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ROOMS } from '../../../scripts/checks/rooms.ts';
import { type TestDatabase, testDatabase } from '../../../test/harness/database.ts';
import { expectWalls, twoWorkspaces } from '../../../test/harness/walls.ts';
import { newId } from '../ids.ts';
import { readMigrations } from './migrate.ts';
import { ensurePartitions, MIGRATIONS_FOLDER } from './open.ts';

/** Of these the app door sees its own row of `workspaces`, and whether the installation is parked. */
const READABLE = ['instance_parking', 'workspaces'];

/** Those of the whole installation. */
const INSTANCE_WIDE = [
  'instance',
  'instance_parking',
  'instance_settings',
  'known_devices',
  'leases',
  'limit_hits',
  'login_challenges',
  'login_failures',
  'login_tokens',
  'logins',
  'nodes',
  'recovery_codes',
  'second_factors',
  'user_links',
  'users',
  'workspaces',
];

let ground: TestDatabase;

beforeAll(async () => {
  ground = await testDatabase();
  await ensurePartitions(ground.engine);
});
afterAll(() => ground.close());

/** As the login that owns the tables, past both doors. */
async function rows<Row>(text: string): Promise<Row[]> {
  const connection = await ground.engine.acquire();
  try {
    return (await connection.query(text, [])).rows as Row[];
  } finally {
    connection.release();
  }
}

/** Partitions count as their parents. */
const ownName = `coalesce((select p.relname from pg_inherits i join pg_class p on p.oid = i.inhparent
  where i.inhrelid = c.oid), c.relname)`;

const tables = () =>
  rows<{ name: string; parent: string; walled: boolean; tenant: boolean }>(
    `select c.relname as name, ${ownName} as parent, c.relrowsecurity and c.relforcerowsecurity as walled,
       exists (select from pg_attribute a where a.attrelid = c.oid and a.attname = 'workspace_id') as tenant
     from pg_class c where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p')
       and c.relname <> 'schema_migrations' order by 1`,
  );

describe('the catalogue', () => {
  it('forces row security on every table and every partition', async () => {
    const open = (await tables()).filter(({ walled }) => !walled);
    expect(open).toEqual([]);
    expect((await tables()).length).toBeGreaterThan(50);
  });

  it('knows as instance-wide only the tables that are meant to be', async () => {
    const wide = (await tables()).filter(({ tenant }) => !tenant).map(({ name }) => name);
    expect(wide).toEqual(INSTANCE_WIDE);
  });

  it('has the policies that go with each table, and none on partitions', async () => {
    const policies = await rows<{ name: string; policies: string }>(
      `select tablename as name, string_agg(policyname, ' ' order by policyname) as policies
       from pg_policies where schemaname = 'public' group by 1 order by 1`,
    );
    const expected = (await tables())
      .filter(({ name, parent }) => name === parent)
      .map(({ name, tenant }) => ({ name, allowed: allowed(name, tenant) }));
    const wrong = expected.filter(
      ({ name, allowed }) => !allowed.includes(policies.find(row => row.name === name)?.policies ?? ''),
    );
    expect(wrong).toEqual([]);
    expect(policies.map(({ name }) => name)).toEqual(expected.map(({ name }) => name));
  });

  it('opens every primary key and unique index of a tenant table with workspace_id', async () => {
    const strays = await rows<{ name: string }>(
      `select i.indexrelid::regclass::text as name from pg_index i join pg_class c on c.oid = i.indrelid
       where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p') and (i.indisunique or i.indisprimary)
         and exists (select from pg_attribute a where a.attrelid = c.oid and a.attname = 'workspace_id')
         and (select attname from pg_attribute where attrelid = c.oid and attnum = i.indkey[0]) is distinct from 'workspace_id'`,
    );
    expect(strays).toEqual([]);
  });

  it('opens every foreign key between tenant tables with workspace_id on both sides', async () => {
    const strays = await rows<{ name: string; target: string }>(
      `select k.conname as name, t.relname as target
       from pg_constraint k join pg_class c on c.oid = k.conrelid join pg_class t on t.oid = k.confrelid
       where k.contype = 'f' and c.relnamespace = 'public'::regnamespace
         and exists (select from pg_attribute a where a.attrelid = c.oid and a.attname = 'workspace_id')
         and (select attname from pg_attribute where attrelid = c.oid and attnum = k.conkey[1])
           || '>' || (select attname from pg_attribute where attrelid = t.oid and attnum = k.confkey[1])
           <> case t.relname when 'workspaces' then 'workspace_id>id' else 'workspace_id>workspace_id' end`,
    );
    // Reference tables of the installation have no workspace to start with.
    expect(strays.filter(({ target }) => target === 'workspaces' || !INSTANCE_WIDE.includes(target))).toEqual(
      [],
    );
  });

  it('points foreign keys only at rooms to the left', async () => {
    const rooms = roomsOfTables();
    const keys = await rows<{ from: string; to: string }>(
      `select distinct c.relname as "from", t.relname as "to"
       from pg_constraint k join pg_class c on c.oid = k.conrelid join pg_class t on t.oid = k.confrelid
       where k.contype = 'f' and k.conparentid = 0 and c.relnamespace = 'public'::regnamespace`,
    );
    const wrong = keys.filter(({ from, to }) => {
      const [left, right] = [rooms.get(to), rooms.get(from)].map(room =>
        (ROOMS as readonly string[]).indexOf(room ?? ''),
      );
      return left === undefined || right === undefined || left < 0 || right < 0 || left > right;
    });
    expect(keys.length).toBeGreaterThan(10);
    expect(wrong).toEqual([]);
  });

  it('keeps foreign keys off the history tables, whose checks would be planned anew for every row', async () => {
    const keys = await rows<{ name: string }>(
      `select k.conname as name from pg_constraint k join pg_partitioned_table p on p.partrelid in (k.conrelid, k.confrelid)
       where k.contype = 'f'`,
    );
    expect(keys).toEqual([]);
  });

  it('gives the roles rights on no table without a policy for them', async () => {
    const rights = await rows<{ name: string; grantee: string }>(
      `select distinct table_name as name, grantee from information_schema.role_table_grants
       where table_schema = 'public' and grantee in ('convoke_app', 'PUBLIC')`,
    );
    const app = rights.filter(({ grantee }) => grantee === 'convoke_app').map(({ name }) => name);
    expect(rights.filter(({ grantee }) => grantee === 'PUBLIC')).toEqual([]);
    expect(app.filter(name => INSTANCE_WIDE.includes(name))).toEqual(READABLE);
    expect(app.filter(name => /_rest$|_y\d{4}m\d{2}$|^schema_migrations$/.test(name))).toEqual([]);
  });
});

describe('the walls', () => {
  it('keep two workspaces apart', async () => {
    const [mine, foreign] = await twoWorkspaces(ground.database);
    await expectWalls(ground.database, mine, foreign);
  });

  it('show nothing when no workspace is set', async () => {
    await twoWorkspaces(ground.database);
    const connection = await ground.engine.acquire();
    await connection.script('begin; set local role convoke_app');
    const names = (
      await connection.query(`select tablename from pg_policies where policyname = 'workspace_wall'`, [])
    ).rows;
    const counts = [];
    for (const { tablename } of names) {
      counts.push(
        (await connection.query(`select count(*)::int as count from ${String(tablename)}`, [])).rows[0],
      );
    }
    await connection.script('rollback');
    connection.release();
    expect(counts.length).toBeGreaterThan(20);
    expect(counts.filter(row => row?.count !== 0)).toEqual([]);
  });

  it('close the tables of the installation to the app door', async () => {
    for (const name of INSTANCE_WIDE.filter(name => !READABLE.includes(name))) {
      const read = ground.database.workspace(newId(), tx =>
        sql`select 1 from ${sql.table(name)}`.execute(tx),
      );
      await expect(read, name).rejects.toMatchObject({ code: '42501' });
    }
    const write = ground.database.workspace(newId(), tx =>
      sql`insert into workspaces (id, slug, name) values (${newId()}, 'x', 'x')`.execute(tx),
    );
    await expect(write).rejects.toMatchObject({ code: '42501' });
  });

  it('let no door reach a partition directly', async () => {
    const direct = sql`select 1 from activity_rest`;
    await expect(ground.database.workspace(newId(), tx => direct.execute(tx))).rejects.toMatchObject({
      code: '42501',
    });
    await expect(ground.database.inEngine('test.direct', tx => direct.execute(tx))).rejects.toMatchObject({
      code: '42501',
    });
  });

  it('let the engine door see every workspace', async () => {
    const both = await twoWorkspaces(ground.database);
    const found = await ground.database.inEngine('test.all', tx =>
      tx.selectFrom('channels').select('workspace_id').where('workspace_id', 'in', both).execute(),
    );
    expect(found.map(row => row.workspace_id).toSorted()).toEqual(both.toSorted());
  });

  it('keep what is recorded as it was recorded', async () => {
    for (const table of ['activity', 'activity_seals']) {
      const change = sql`update ${sql.table(table)} set workspace_id = workspace_id`;
      await expect(ground.database.workspace(newId(), tx => change.execute(tx))).rejects.toMatchObject({
        code: '42501',
      });
      await expect(ground.database.inEngine('test.change', tx => change.execute(tx))).rejects.toMatchObject({
        code: '42501',
      });
    }
  });
});

function allowed(name: string, tenant: boolean): string[] {
  if (name === 'workspaces') return ['engine_door own_workspace'];
  if (name === 'instance_parking') return ['all_workspaces engine_door'];
  return tenant ? ['workspace_wall', 'engine_door workspace_wall'] : ['engine_door'];
}

/** A table belongs to the room whose migration creates it: `NNNN_room[_subject].up.sql`. */
function roomsOfTables(): Map<string, string> {
  const rooms = new Map<string, string>();
  for (const { name } of readMigrations(MIGRATIONS_FOLDER)) {
    const text = readFileSync(join(MIGRATIONS_FOLDER, `${name}.up.sql`), 'utf8');
    const room = name.split('_')[1] ?? '';
    for (const [, table] of text.matchAll(/^create table (\w+)/gm)) rooms.set(table ?? '', room);
  }
  return rooms;
}
