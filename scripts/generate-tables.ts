import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { openDatabase } from '../src/kernel/database/open.ts';
import { openPostgres } from '../src/kernel/database/postgres.ts';
import { startPostgres } from '../test/harness/postgres-server.ts';
import { schemaSnapshot } from './schema-snapshot.ts';

const root = fileURLToPath(new URL('..', import.meta.url));

/** What is written from the schema: path below the root, and how it is made from a migrated database. */
type Written = { path: string; text: string };

/**
 * Writes the types of the tables and the readable schema from a database that all migrations were run
 * on. With `--verify` writes nothing and fails when one of them is not current.
 */
async function main(): Promise<void> {
  const server = await startPostgres(18);
  try {
    const stale = staleFiles(await generate(server.url()));
    if (!process.argv.includes('--verify')) {
      for (const { path, text } of stale) writeFileSync(join(root, path), text);
      console.log(
        stale.length === 0 ? 'Nothing has changed.' : `Written: ${stale.map(({ path }) => path).join(', ')}`,
      );
    } else if (stale.length > 0) {
      process.exitCode = 1;
      for (const { path } of stale)
        console.log(`${path} does not fit the migrations. Run: node scripts/generate-tables.ts`);
    }
  } finally {
    await server.stop();
  }
}

/** Migrates the database at `url`, an empty one of PostgreSQL 18, and describes it. */
export async function generate(url: string): Promise<Written[]> {
  const database = await openDatabase(
    openPostgres({ url, poolSize: 1, onFault: () => undefined }),
    console.error,
  );
  try {
    return [
      { path: 'db/schema.sql', text: await schemaSnapshot(database.engine) },
      { path: 'src/kernel/database/tables.ts', text: tablesOf(url) },
    ];
  } finally {
    await database.close();
  }
}

/** Those whose text is not what the repository holds. */
export function staleFiles(written: Written[]): Written[] {
  return written.filter(({ path, text }) => readFileSync(join(root, path), 'utf8') !== text);
}

function tablesOf(url: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'convoke-tables-'));
  const file = join(folder, 'tables.ts');
  try {
    tool('kysely-codegen/dist/cli/bin.js', [
      ...['--dialect', 'postgres', '--url', url, '--out-file', file, '--singularize'],
      ...[
        '--exclude-pattern',
        '*.(*_y[0-9]*|*_rest|schema_migrations)',
        '--type-mapping',
        '{"int8":"number"}',
      ],
    ]);
    const text = readFileSync(file, 'utf8').replace('export interface DB {', 'export interface Tables {');
    return tool(
      '@biomejs/biome/bin/biome',
      ['format', '--stdin-file-path=src/kernel/database/tables.ts'],
      text,
    );
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function tool(path: string, args: string[], input = ''): string {
  return execFileSync(process.execPath, [join(root, 'node_modules', path), ...args], {
    cwd: root,
    input,
    encoding: 'utf8',
  });
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await main();
