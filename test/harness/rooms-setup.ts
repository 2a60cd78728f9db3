import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { TestProject } from 'vitest/node';
import { openEmbedded } from '../../src/kernel/database/embedded/index.ts';
import { MIGRATIONS_FOLDER, openDatabase } from '../../src/kernel/database/open.ts';
import { openPostgres } from '../../src/kernel/database/postgres.ts';
import { type PostgresServer, startPostgres } from './postgres-server.ts';

export type TestEngine = 'embedded' | 'postgres18' | 'postgres15';

/** What the room tests of one run stand on: two dumps to load, or a server with a template database. */
export type Ground =
  | { engine: 'embedded'; migrated: string; blank: string }
  | { engine: 'postgres18' | 'postgres15'; server: string };

declare module 'vitest' {
  interface ProvidedContext {
    ground: Ground;
  }
}

const DAY_MS = 24 * 3600 * 1000;

export const TEMPLATE = 'convoke_template';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** Once per run: the engine named by CONVOKE_TEST_ENGINE, with a migrated database to copy from. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const engine = (process.env.CONVOKE_TEST_ENGINE || 'embedded') as TestEngine;
  // Programs that the tests start would refuse a setting that they do not know.
  delete process.env.CONVOKE_TEST_ENGINE;
  if (engine === 'embedded') {
    project.provide('ground', { engine, ...(await embeddedTemplates()) });
    return async () => undefined;
  }
  if (engine !== 'postgres18' && engine !== 'postgres15') {
    throw new Error('CONVOKE_TEST_ENGINE is one of embedded, postgres18 and postgres15.');
  }
  const server = await startPostgres(engine === 'postgres18' ? 18 : 15);
  try {
    await createTemplate(server);
  } catch (error) {
    await server.stop();
    throw error;
  }
  project.provide('ground', { engine, server: server.url() });
  return () => server.stop();
}

async function createTemplate(server: PostgresServer): Promise<void> {
  const administrator = openPostgres({ url: server.url(), poolSize: 1, onFault: () => undefined });
  const connection = await administrator.acquire();
  await connection.query(`create database ${TEMPLATE}`, []);
  connection.release();
  await administrator.close();
  const database = await openDatabase(
    openPostgres({ url: server.url(TEMPLATE), poolSize: 1, onFault: () => undefined }),
    text => {
      throw new Error(text);
    },
  );
  await database.close();
}

/** Making an embedded database takes seconds, so its dumps are kept until the schema or the month changes. */
async function embeddedTemplates(): Promise<{ migrated: string; blank: string }> {
  const folder = join(tmpdir(), `convoke-templates-${process.getuid?.() ?? 0}`);
  const blank = join(folder, `blank-${version()}.tar`);
  const migrated = join(folder, `migrated-${fingerprint()}.tar`);
  if (existsSync(blank) && existsSync(migrated)) return { blank, migrated };
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  removeOld(folder);
  const engine = await openEmbedded({ memory: true });
  keep(blank, await engine.dump());
  const database = await openDatabase(engine, text => {
    throw new Error(text);
  });
  keep(migrated, await engine.dump());
  await database.close();
  return { blank, migrated };
}

function removeOld(folder: string): void {
  for (const path of readdirSync(folder).map(name => join(folder, name))) {
    const age = Date.now() - (statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0);
    if (age > DAY_MS) rmSync(path, { force: true });
  }
}

/** Two runs at once may both write it: the rename makes each file whole. */
function keep(path: string, bytes: Uint8Array): void {
  const own = `${path}.${process.pid}`;
  writeFileSync(own, bytes);
  renameSync(own, path);
}

function fingerprint(): string {
  const hash = createHash('sha256').update(version()).update(new Date().toISOString().slice(0, 7));
  const code = ['open.ts', 'migrate.ts', 'probe.ts'].map(file => join(root, 'src/kernel/database', file));
  const sql = readdirSync(MIGRATIONS_FOLDER).filter(file => file.endsWith('.up.sql'));
  for (const file of [...code, ...sql.sort().map(name => join(MIGRATIONS_FOLDER, name))]) {
    hash.update(file).update(readFileSync(file));
  }
  return hash.digest('hex').slice(0, 16);
}

function version(): string {
  const path = join(root, 'node_modules/@electric-sql/pglite/package.json');
  return (JSON.parse(readFileSync(path, 'utf8')) as { version: string }).version;
}
