import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { StartError } from '../errors.ts';
import type { Engine, EngineConnection } from './engine.ts';

export type Migration = { name: string; up: string; down: string; checksum: string };

/** Two starting nodes must not change the schema at the same time; the number only has to be ours. */
const SCHEMA_LOCK = 7_240_115;

/** The numbered pairs `NNNN_room.up.sql` / `.down.sql` of `folder`, in order. */
export function readMigrations(folder: string): Migration[] {
  const names = readdirSync(folder)
    .filter(file => file.endsWith('.up.sql'))
    .map(file => file.slice(0, -'.up.sql'.length))
    .sort();
  return names.map((name, index) => {
    if (Number(name.slice(0, 4)) !== index + 1)
      throw new Error(`Migration ${name} is out of order: expected number ${index + 1}.`);
    const up = readFileSync(join(folder, `${name}.up.sql`), 'utf8');
    const down = readFileSync(join(folder, `${name}.down.sql`), 'utf8');
    return { name, up, down, checksum: createHash('sha256').update(up).digest('hex') };
  });
}

/**
 * Applies what is missing, all in one transaction, as the login itself and not through a door.
 * Refuses a database that has migrations which this program does not know, or other ones in between.
 * Returns the names applied.
 */
export async function migrateUp(engine: Engine, migrations: Migration[]): Promise<string[]> {
  return exclusively(engine, async connection => {
    const applied = await appliedNames(connection, migrations);
    const missing = migrations.slice(applied.length);
    for (const migration of missing) {
      await connection.script(migration.up);
      await connection.query('insert into schema_migrations (name, checksum) values ($1, $2)', [
        migration.name,
        migration.checksum,
      ]);
    }
    if (missing.length > 0) await connection.script('call convoke_grant_doors()');
    return missing.map(migration => migration.name);
  });
}

/** Takes back the last `steps` migrations. For tests and for an operator who goes back a version. */
export async function migrateDown(engine: Engine, migrations: Migration[], steps: number): Promise<string[]> {
  return exclusively(engine, async connection => {
    const applied = await appliedNames(connection, migrations);
    const back = migrations.slice(Math.max(0, applied.length - steps), applied.length).reverse();
    for (const migration of back) {
      await connection.script(migration.down);
      await connection.query('delete from schema_migrations where name = $1', [migration.name]);
    }
    return back.map(migration => migration.name);
  });
}

/** One transaction as the login itself, one node at a time. */
export async function exclusively<T>(
  engine: Engine,
  work: (connection: EngineConnection) => Promise<T>,
): Promise<T> {
  const connection = await engine.acquire({ patient: true });
  try {
    await connection.script(`begin; select pg_advisory_xact_lock(${SCHEMA_LOCK})`);
    const result = await work(connection);
    await connection.script('commit');
    connection.release();
    return result;
  } catch (error) {
    await connection.script('rollback').catch(() => undefined);
    connection.release(true);
    throw error;
  }
}

async function appliedNames(connection: EngineConnection, known: Migration[]): Promise<string[]> {
  await connection.script(`create table if not exists schema_migrations (
    name text primary key, checksum text not null, applied_at timestamptz not null default now())`);
  const { rows } = await connection.query('select name, checksum from schema_migrations order by name', []);
  rows.forEach((row, index) => {
    const expected = known[index];
    if (expected === undefined || expected.name !== row.name) {
      throw new StartError(
        `The database has the migration "${String(row.name)}", which this version of Convoke does not expect there. ` +
          'Start the newer version that wrote it, or restore a backup that fits this one.',
      );
    }
    if (expected.checksum !== row.checksum) {
      throw new StartError(
        `The migration "${expected.name}" was changed after it had been applied to this database.`,
      );
    }
  });
  return rows.map(row => String(row.name));
}
