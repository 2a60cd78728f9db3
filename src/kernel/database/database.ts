import { AsyncLocalStorage } from 'node:async_hooks';
import type { Kysely } from 'kysely';
import type { Scope } from '../scope.ts';
import { type Engine, type EngineConnection, sqlState } from './engine.ts';
import { kyselyOver } from './kysely.ts';
import type { Tables } from './tables.ts';

/** A transaction that one of the two doors opened. */
export type Tx = Kysely<Tables>;

/** How the doors are told apart: by role, or by a setting when the login may not have roles. */
export type Walls = 'roles' | 'settings';

type Open = { database: Database; door: string; tx: Tx; after: (() => void)[] };

/** A statement that failed leaves the transaction aborted; PostgreSQL answers its COMMIT with a silent rollback. */
type Watched = { connection: EngineConnection; fault: unknown };

const current = new AsyncLocalStorage<Open | undefined>();

/** Serialization failures and deadlocks: the whole transaction may be run again. */
const RERUN = new Set(['40001', '40P01']);
const RERUNS = 3;

/** The database behind its two doors. Nothing else in the program opens a transaction. */
export class Database {
  readonly engine: Engine;
  readonly walls: Walls;

  constructor(engine: Engine, walls: Walls) {
    this.engine = engine;
    this.walls = walls;
  }

  /** See `inWorkspace`. */
  workspace<T>(workspaceId: string, work: (tx: Tx) => Promise<T>): Promise<T> {
    return this.#join(`workspace:${workspaceId}`, openingOf(this.walls, 'app', workspaceId), work);
  }

  /**
   * One transaction that sees every workspace, on the tables that name the engine in their policies.
   * `name` is `room.verb` and shows up in faults. A nested call joins.
   */
  inEngine<T>(name: string, work: (tx: Tx) => Promise<T>): Promise<T> {
    return this.#join('engine', openingOf(this.walls, 'engine', undefined), work, name);
  }

  async close(): Promise<void> {
    await this.engine.close();
  }

  async #join<T>(door: string, opening: string, work: (tx: Tx) => Promise<T>, name = door): Promise<T> {
    const open = current.getStore();
    if (open && open.database === this) {
      if (open.door !== door) throw new Error(`${name} was opened inside the transaction of ${open.door}.`);
      return work(open.tx);
    }
    for (let run = 1; ; run++) {
      try {
        return await this.#once(door, opening, work);
      } catch (error) {
        if (run >= RERUNS || !RERUN.has(sqlState(error) ?? '')) throw error;
      }
    }
  }

  async #once<T>(door: string, opening: string, work: (tx: Tx) => Promise<T>): Promise<T> {
    const connection = await this.engine.acquire();
    const watched = watch(connection);
    const open: Open = { database: this, door, tx: kyselyOver<Tables>(watched.connection), after: [] };
    let result: T;
    try {
      await connection.script(opening);
      result = await current.run(open, () => work(open.tx));
      if (watched.fault !== undefined) throw watched.fault;
      await connection.script('commit');
    } catch (error) {
      await giveUp(connection);
      throw error;
    }
    connection.release();
    for (const callback of open.after) callback();
    return result;
  }
}

/**
 * One transaction that sees only the rows of the scope's workspace. A nested call of the same
 * workspace joins the running transaction, so services compose; another door inside is an error.
 * Run again as a whole (at most three times) after a serialization failure or a deadlock.
 */
export function inWorkspace<T>(scope: Scope, work: (tx: Tx) => Promise<T>): Promise<T> {
  return scope.kernel.database.workspace(scope.workspaceId, work);
}

/** Calls back once the running transaction has committed; at once when none is running. Never throws back. */
export function afterCommit(callback: () => void): void {
  const open = current.getStore();
  if (open) open.after.push(callback);
  else callback();
}

/** The transaction that the caller is in, for mechanisms that join whichever door is open. */
export function running(): { database: Database; tx: Tx } | undefined {
  return current.getStore();
}

/** Runs `work` outside the running transaction: for timers and consumers started from inside one. */
export function outsideTransaction<T>(work: () => T): T {
  return current.run(undefined, work);
}

function openingOf(walls: Walls, door: 'app' | 'engine', workspaceId: string | undefined): string {
  if (workspaceId !== undefined && !/^[0-9a-f-]{36}$/.test(workspaceId))
    throw new Error('Not a workspace id.');
  const role = walls === 'roles' ? `set local role convoke_${door};` : '';
  return `begin; ${role} select set_config('app.door', '${door}', true), set_config('app.workspace_id', '${workspaceId ?? ''}', true)`;
}

function watch(connection: EngineConnection): Watched {
  const watched: Watched = { fault: undefined, connection };
  watched.connection = {
    ...connection,
    query: async (text, params) => {
      try {
        return await connection.query(text, params);
      } catch (error) {
        watched.fault = error;
        throw error;
      }
    },
  };
  return watched;
}

async function giveUp(connection: EngineConnection): Promise<void> {
  try {
    await connection.script('rollback');
    connection.release();
  } catch {
    connection.release(true);
  }
}
