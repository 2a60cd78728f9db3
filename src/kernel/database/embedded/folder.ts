import { open, readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { StartError } from '../../errors.ts';
import { PostgresWorker } from './postgres-worker.ts';

/** The major version of PostgreSQL that PGlite 0.5 is. Its folders fit no other. */
const POSTGRES = '18';

/**
 * The place of the database inside `folder`, made if it is not there yet. It is made beside and renamed,
 * so that a crash on the way never leaves half a database under the name of a whole one.
 */
export async function prepareFolder(folder: string): Promise<string> {
  const place = join(folder, 'postgres');
  if (await exists(place)) {
    await refuseForeign(place);
    return place;
  }
  const fresh = `${place}.new`;
  await rm(fresh, { recursive: true, force: true });
  const worker = await PostgresWorker.start({ folder: fresh }, () => undefined);
  await worker.close();
  await flushTree(fresh);
  await rename(fresh, place);
  await flush(folder);
  return place;
}

/** What to tell the person whose database does not open. */
export function unreadable(place: string, cause: unknown): StartError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  if (/No space left|ENOSPC/.test(reason)) {
    return new StartError(
      `The disk of the database in ${place} is full, so it does not open. Make room there and start again: ` +
        'what was stored is still there.',
      { cause },
    );
  }
  return new StartError(
    `The database in ${place} does not open. It said:\n${indent(reason)}\n` +
      'Convoke has not removed anything. Copy the folder to a safe place first; then restore the last backup, ' +
      'or move the folder away to begin with an empty database.',
    { cause },
  );
}

async function refuseForeign(place: string): Promise<void> {
  const version = await readFile(join(place, 'PG_VERSION'), 'utf8').catch(() => undefined);
  if (version === undefined)
    throw unreadable(place, new Error('The file PG_VERSION is missing, so this is not a whole database.'));
  if (version.trim() !== POSTGRES) {
    throw new StartError(
      `The database in ${place} was written by PostgreSQL ${version.trim()}; this version of Convoke reads ${POSTGRES}. ` +
        'Start the version of Convoke that wrote it and move the data with its backup, or use another data folder. Nothing was changed.',
    );
  }
}

async function flushTree(folder: string): Promise<void> {
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) await flushTree(path);
    else await flush(path);
  }
  await flush(folder);
}

async function flush(path: string): Promise<void> {
  const handle = await open(path, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}

function indent(text: string): string {
  return text
    .split('\n')
    .map(line => `  ${line}`)
    .join('\n');
}
