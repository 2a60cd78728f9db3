import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { inject } from 'vitest';
import { Database } from '../../src/kernel/database/database.ts';
import { openEmbedded } from '../../src/kernel/database/embedded/index.ts';
import type { Engine } from '../../src/kernel/database/engine.ts';
import { openPostgres } from '../../src/kernel/database/postgres.ts';
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

/** Runs one statement as the superuser of the test cluster; only on a server engine. */
export async function asAdministrator(url: string, statement: string): Promise<void> {
  const engine = openPostgres({ url, poolSize: 1, onFault: () => undefined });
  const connection = await engine.acquire();
  try {
    await connection.query(statement, []);
  } finally {
    connection.release();
    await engine.close();
  }
}
