import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { keepSecret } from '../harness/heard.ts';
import type { PostgresServer } from '../harness/postgres-server.ts';
import { until } from '../harness/until.ts';
import type { Life } from './life.ts';

/** What the lives of one world stand on, one after the other. */
export type Ground = {
  name: 'embedded' | 'postgres';
  env: Record<string, string>;
  /** Looks into the rows, past the program where that is possible. */
  rows<T>(life: Life, text: string): Promise<T[]>;
  /** Lets the time pass after which the leases and claims of a dead process are free. */
  expire(): Promise<void>;
  close(): Promise<void>;
};

/** A data folder of its own: the lock on it proves that the process before is dead, so nothing has to expire. */
export function folderGround(): Ground {
  const dataDir = mkdtempSync(join(tmpdir(), 'convoke-crash-'));
  return {
    name: 'embedded',
    env: { CONVOKE_DATA_DIR: dataDir },
    rows: (life, text) => life.rows(text),
    expire: async () => undefined,
    close: async () => rmSync(dataDir, { recursive: true, force: true }),
  };
}

const OTHERS = `select from pg_stat_activity where datname = current_database() and application_name <> 'crash'`;

/** A database of its own on the server. */
export async function serverGround(server: PostgresServer, name: string): Promise<Ground> {
  const administrator = new pg.Client({ connectionString: server.url() });
  await administrator.connect();
  await administrator.query(`create database ${name}`);
  await administrator.end();
  const pool = new pg.Pool({ connectionString: server.url(name), application_name: 'crash', max: 2 });
  pool.on('error', () => undefined);
  const dataDir = mkdtempSync(join(tmpdir(), 'convoke-crash-'));
  const key = randomBytes(32).toString('base64');
  keepSecret(key);
  return {
    name: 'postgres',
    env: {
      CONVOKE_DATA_DIR: dataDir,
      DATABASE_URL: server.url(name),
      CONVOKE_MASTER_KEY: `crash:${key}`,
    },
    rows: async (_life, text) => (await pool.query(text)).rows,
    expire: async () => {
      // The server may still be busy with the last words of the dead.
      await until(async () => (await pool.query(OTHERS)).rowCount === 0);
      await pool.query('update leases set holder = null, expires_at = now()');
      await pool.query('update nodes set stopped_at = now() where stopped_at is null');
      await pool.query(
        'update due_work set claimed_by = null, claimed_until = null where claimed_by is not null',
      );
    },
    close: async () => {
      await pool.end();
      rmSync(dataDir, { recursive: true, force: true });
    },
  };
}
