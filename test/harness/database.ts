import { randomBytes, randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inject } from 'vitest';
import { systemClock } from '../../src/kernel/clock.ts';
import { readConfig } from '../../src/kernel/config.ts';
import { Database } from '../../src/kernel/database/database.ts';
import { openEmbedded } from '../../src/kernel/database/embedded/index.ts';
import type { Engine } from '../../src/kernel/database/engine.ts';
import { openPostgres } from '../../src/kernel/database/postgres.ts';
import { newId } from '../../src/kernel/ids.ts';
import type { Kernel } from '../../src/kernel/kernel.ts';
import { createLogger } from '../../src/kernel/log.ts';
import { mintScope, type Scope } from '../../src/kernel/scope.ts';
import { createSecrets } from '../../src/kernel/secrets.ts';
import { createWake } from '../../src/kernel/wake.ts';
import { keepPostgresCompiled } from './compiled.ts';
import { type Ground, TEMPLATE, type TestEngine } from './rooms-setup.ts';

export type TestDatabase = {
  database: Database;
  engine: Engine;
  /** Address of the database; undefined on the embedded engine. */
  url: string | undefined;
  close(): Promise<void>;
};

/** Which engine this run is on. */
export function testEngine(): TestEngine {
  return inject('ground').engine;
}

/**
 * A migrated, empty database of one's own. Open it in `beforeAll`, close it in `afterAll`.
 * For files named `*.room.test.ts`, which run once per engine.
 */
export async function testDatabase(): Promise<TestDatabase> {
  const opened = await open(ground => (ground.engine === 'embedded' ? ground.migrated : TEMPLATE));
  return { ...opened, database: new Database(opened.engine, 'roles') };
}

/** The same without any table or role of ours, for tests of the way to a migrated database. */
export function blankDatabase(): Promise<Omit<TestDatabase, 'database'>> {
  return open(ground => (ground.engine === 'embedded' ? ground.blank : 'template0'));
}

async function open(origin: (ground: Ground) => string): Promise<Omit<TestDatabase, 'database'>> {
  const ground = inject('ground');
  if (ground.engine === 'embedded') {
    await keepPostgresCompiled();
    const template = new Uint8Array(readFileSync(origin(ground)));
    const engine = await openEmbedded({ memory: true, template });
    return { engine, url: undefined, close: () => engine.close() };
  }
  const name = `test_${randomUUID().replaceAll('-', '')}`;
  await asAdministrator(ground.server, `create database ${name} template ${origin(ground)}`);
  const url = new URL(ground.server);
  url.pathname = name;
  const engine = openPostgres({ url: url.href, poolSize: 10, onFault: () => undefined });
  const close = async () => {
    await engine.close();
    await asAdministrator(ground.server, `drop database if exists ${name} with (force)`);
  };
  return { engine, url: url.href, close };
}

/** Runs statements as the superuser of the test cluster; only on a server engine. */
export async function asAdministrator(url: string, statement: string): Promise<void> {
  const engine = openPostgres({ url, poolSize: 1, onFault: () => undefined });
  const connection = await engine.acquire();
  try {
    await connection.script(statement);
  } finally {
    connection.release();
    await engine.close();
  }
}

export type TestKernel = Kernel & { close(): Promise<void> };

/** One per test file, so that two kernels of one file can share a database like two nodes. */
const MASTER_KEY = `test:${randomBytes(32).toString('base64')}`;

/**
 * A kernel on a database of its own, with a wake that listens. Open it in `beforeAll` and close it in
 * `afterAll`. With `{ database }` of another test kernel it is a second node on the same database.
 */
export async function testKernel(overrides: Partial<Kernel> = {}): Promise<TestKernel> {
  const opened = overrides.database ? undefined : await testDatabase();
  const database = overrides.database ?? opened?.database;
  if (!database) throw new Error('A kernel needs a database.');
  const dataDir = join(tmpdir(), `convoke-test-${newId()}`);
  const config = overrides.config ?? readConfig({ CONVOKE_DATA_DIR: dataDir });
  const log = overrides.log ?? createLogger('silent');
  const node = overrides.node ?? { id: 'test', bootId: newId() };
  const serverMode = database.engine.kind === 'server';
  const kernel: Kernel = {
    config,
    clock: overrides.clock ?? systemClock,
    random: overrides.random ?? Math.random,
    log,
    database,
    secrets:
      overrides.secrets ?? (await createSecrets({ keyring: MASTER_KEY, dataDir, serverMode, database })),
    wake: overrides.wake ?? createWake(database.engine, node.bootId, log),
    node,
  };
  if (!overrides.wake) await kernel.wake.start();
  return {
    ...kernel,
    close: async () => {
      if (!overrides.wake) await kernel.wake.stop();
      await opened?.close();
    },
  };
}

/** A workspace with one member of the given role, in whose name the scope acts. */
export async function testWorkspace(kernel: Kernel, role = 'owner'): Promise<Scope> {
  const userId = newId();
  const workspaceId = newId();
  await kernel.database.inEngine('test.workspace', async tx => {
    await tx
      .insertInto('users')
      .values({ id: userId, username: `user-${userId}` })
      .execute();
    await tx
      .insertInto('workspaces')
      .values({ id: workspaceId, slug: `workspace-${workspaceId}`, name: 'Test workspace' })
      .execute();
    await tx.insertInto('members').values({ workspace_id: workspaceId, user_id: userId, role }).execute();
  });
  return mintScope(kernel, workspaceId, { kind: 'user', id: userId });
}
