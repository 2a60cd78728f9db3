import { sql } from 'kysely';
import { Database, running, type Tx } from '../../src/kernel/database/database.ts';
import { step } from './steps.ts';

/** What the harness itself asks is no step of the program. */
const OURS = 'test.';

/**
 * Makes each transaction of the two doors a pair of steps: when its work is done and not committed, and when it
 * is committed and nobody knows. One that wrote nothing leaves nothing behind and is no step; one that joins a
 * running one is part of that. Those of the workspace door are named by who opened them.
 */
export function watchDatabase(): void {
  const { inEngine, workspace } = Database.prototype;
  Database.prototype.inEngine = function <T>(name: string, work: (tx: Tx) => Promise<T>): Promise<T> {
    return between(this, name, work, watched => inEngine.call(this, name, watched) as Promise<T>);
  };
  Database.prototype.workspace = function <T>(id: string, work: (tx: Tx) => Promise<T>): Promise<T> {
    return between(this, opener(), work, watched => workspace.call(this, id, watched) as Promise<T>);
  };
}

async function between<T>(
  database: Database,
  name: string,
  work: (tx: Tx) => Promise<T>,
  open: (work: (tx: Tx) => Promise<T>) => Promise<T>,
): Promise<T> {
  if (name.startsWith(OURS) || running()?.database === database) return open(work);
  let wrote = false;
  const result = await open(async tx => {
    const worked = await work(tx);
    wrote = await hasWritten(tx);
    if (wrote) step(`${name} before commit`);
    return worked;
  });
  if (wrote) step(`${name} after commit`);
  return result;
}

async function hasWritten(tx: Tx): Promise<boolean> {
  const { rows } = await sql<{ wrote: boolean }>`
    select pg_current_xact_id_if_assigned() is not null as wrote
  `.execute(tx);
  return rows[0]?.wrote === true;
}

/** `room.function` of the first frame outside the doors, or the file where the function has no name. */
function opener(): string {
  const frames = (new Error().stack ?? '').split('\n').filter(frame => frame.includes('file://'));
  const frame =
    frames.find(one => !one.includes('/kernel/database/') && !one.includes(import.meta.url)) ?? '';
  const [, room, file] = /\/src\/([a-z-]+)\/(?:.*\/)?([a-z-]+)\.ts/.exec(frame) ?? [];
  const called = /at (?:async )?(?:\w+\.)?(\w+) \(/.exec(frame)?.[1];
  return room === undefined ? OURS : `${room}.${called ?? file}`;
}
