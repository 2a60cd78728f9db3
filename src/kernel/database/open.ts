import { fileURLToPath } from 'node:url';
import { Database } from './database.ts';
import type { Engine } from './engine.ts';
import { exclusively, migrateUp, readMigrations } from './migrate.ts';
import { probeLogin } from './probe.ts';

export const MIGRATIONS_FOLDER = fileURLToPath(new URL('../../../db', import.meta.url));

const MONTHS_AHEAD = 4;
const MONTHS_BACK = 1;

/** Makes an engine ready to use: login probed, schema up to date, rights granted, partitions there. */
export async function openDatabase(engine: Engine, warn: (text: string) => void): Promise<Database> {
  const walls = await probeLogin(engine, warn);
  await migrateUp(engine, readMigrations(MIGRATIONS_FOLDER));
  await ensurePartitions(engine);
  // The roles may have come after the tables.
  await exclusively(engine, connection => connection.script('call convoke_grant_doors()'));
  return new Database(engine, walls);
}

/** Creates the partitions of the coming months; called at start and once a day. Safe to repeat. */
export async function ensurePartitions(engine: Engine): Promise<void> {
  await exclusively(engine, connection =>
    connection.script(
      `call convoke_ensure_partitions(now() - interval '${MONTHS_BACK} month', ${MONTHS_AHEAD + MONTHS_BACK})`,
    ),
  );
}
