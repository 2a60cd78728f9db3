import { AsyncLocalStorage } from 'node:async_hooks';
import type { Kysely } from 'kysely';
import type { Scope } from '../scope.ts';
import {
  type Engine,
  type EngineConnection,
  isFull,
  isUnreachable,
  LinkFault,
  leavesOpen,
  type Patience,
  sqlState,
} from './engine.ts';
import { kyselyOver } from './kysely.ts';
import type { Tables } from './tables.ts';

/** A transaction that one of the two doors opened. */
export type Tx = Kysely<Tables>;

/** How the doors are told apart: by role, or by a setting when the login may not have roles. */
export type Walls = 'roles' | 'settings';

/** Which door is opened, for what, and how long it may take. */
type Doorway = { door: string; opening: string; name: string; patience: Patience };

type Plans = {
  /**
   * For work that finds all its rows by key: the plans of its kept statements hold for any values and go by index,
   * whatever the tables held when they were made.
   */
  byKey?: boolean;
};

type Open = { database: Database; door: string; tx: Tx; after: (() => void)[]; over: boolean };

/**
 * A statement that failed leaves the transaction aborted; PostgreSQL answers its COMMIT with a silent
 * rollback. And what somebody forgot to wait for must not run in the next transaction of the connection.
 */
type Watched = { connection: EngineConnection; fault: unknown; over: boolean };

const store = new AsyncLocalStorage<Open | undefined>();

/** A timer that was started inside a transaction still carries it along when it is over. */
function current(): Open | undefined {
  const open = store.getStore();
  return open?.over ? undefined : open;
}

/** Serialization failures and deadlocks: the whole transaction may be run again. */
const RERUN = new Set(['40001', '40P01']);
const RERUNS = 3;
/** Those who got into each other's way come back at different moments. */
const RERUN_PAUSE_MS = 20;
/** Whether there is room again shows at the next write; so long the last refusal stands. */
const FULL_MS = 20_000;
/** A connection may turn out dead when it is first used again. */
const BEGINS = 2;

/**
 * The answer to a COMMIT is lost: the transaction may have been carried out, or not, or still be: a server settles it
 * within the ten seconds after which it ends a transaction in which it hears nothing. To be met by work that is safe to
 * repeat, or by looking for what it would have left behind.
 */
export class CommitUnknown extends Error {
  constructor(name: string, cause: unknown) {
    super(`Whether ${name} was stored is not known: the answer of the database is lost.`, { cause });
    this.name = 'CommitUnknown';
  }
}

/** The database behind its two doors. Nothing else in the program opens a transaction. */
export class Database {
  readonly engine: Engine;
  readonly walls: Walls;
  #fullUntil = Number.NEGATIVE_INFINITY;

  constructor(engine: Engine, walls: Walls) {
    this.engine = engine;
    this.walls = walls;
  }

  /** Something was refused a moment ago because the disk of the database has no room. */
  get isFull(): boolean {
    return performance.now() < this.#fullUntil;
  }

  /** See `inWorkspace`. */
  workspace<T>(workspaceId: string, work: (tx: Tx) => Promise<T>): Promise<T> {
    return this.#join(`workspace:${workspaceId}`, openingOf(this.walls, 'app', workspaceId), work);
  }

  /**
   * One transaction that sees every workspace, on the tables that name the engine in their policies.
   * `name` is `room.verb` and shows up in faults. A nested call joins.
   * Rejects with CommitUnknown when the answer to its commit is lost.
   */
  inEngine<T>(name: string, work: (tx: Tx) => Promise<T>, how: Patience & Plans = {}): Promise<T> {
    const opening = openingOf(this.walls, 'engine', undefined) + (how.byKey ? BY_KEY : '');
    return this.#join('engine', opening, work, name, how);
  }

  async close(): Promise<void> {
    await this.engine.close();
  }

  async #join<T>(
    door: string,
    opening: string,
    work: (tx: Tx) => Promise<T>,
    name = door,
    patience: Patience = {},
  ): Promise<T> {
    const open = current();
    if (open && open.database === this) {
      if (open.door !== door) throw new Error(`${name} was opened inside the transaction of ${open.door}.`);
      return work(open.tx);
    }
    for (let run = 1; ; run++) {
      try {
        return await this.#once({ door, opening, name, patience }, work);
      } catch (error) {
        if (isFull(error)) this.#fullUntil = performance.now() + FULL_MS;
        if (run >= RERUNS || !mayRunAgain(error)) throw error;
        await pause(run * RERUN_PAUSE_MS * (0.5 + Math.random()));
      }
    }
  }

  async #once<T>({ door, opening, name, patience }: Doorway, work: (tx: Tx) => Promise<T>): Promise<T> {
    const connection = await this.#begin(opening, patience);
    const watched = watch(connection, door);
    const open: Open = {
      database: this,
      door,
      tx: kyselyOver<Tables>(watched.connection),
      after: [],
      over: false,
    };
    const end = () => {
      open.over = true;
      watched.over = true;
    };
    let result: T;
    try {
      result = await store.run(open, () => work(open.tx));
      end();
      if (watched.fault !== undefined) throw watched.fault;
    } catch (error) {
      end();
      await giveUp(connection);
      // However the work put it into words, this one is cured by running again.
      throw mayRunAgain(watched.fault) ? watched.fault : error;
    }
    await commit(connection, name);
    open.after.forEach(call);
    return result;
  }

  /** Nothing has been done yet, so a connection that was cut while it lay idle is replaced by another. */
  async #begin(opening: string, patience: Patience): Promise<EngineConnection> {
    const limits = this.engine.limits?.(patience);
    for (let begin = 1; ; begin++) {
      const connection = await this.engine.acquire(patience);
      try {
        await connection.script(limits === undefined ? opening : `${opening}; ${limits}`);
        return connection;
      } catch (error) {
        connection.release(true);
        if (begin >= BEGINS || !isUnreachable(error) || (error instanceof LinkFault && error.sent))
          throw error;
      }
    }
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
  const open = current();
  if (open) open.after.push(callback);
  else callback();
}

/** The transaction that the caller is in, for mechanisms that join whichever door is open. */
export function running(): { database: Database; tx: Tx } | undefined {
  return current();
}

/** Runs `work` outside the running transaction: for timers and consumers started from inside one. */
export function outsideTransaction<T>(work: () => T): T {
  return store.run(undefined, work);
}

const BY_KEY = ['enable_seqscan', 'enable_hashjoin', 'enable_mergejoin', 'enable_material']
  .map(name => `; set local ${name} = off`)
  .concat('; set local plan_cache_mode = force_generic_plan')
  .join('');

function openingOf(walls: Walls, door: 'app' | 'engine', workspaceId: string | undefined): string {
  if (workspaceId !== undefined && !/^[0-9a-f-]{36}$/.test(workspaceId))
    throw new Error('Not a workspace id.');
  const role = walls === 'roles' ? `; set local role convoke_${door}` : '';
  return `begin${role}; set local app.door = '${door}'; set local app.workspace_id = '${workspaceId ?? ''}'`;
}

function watch(connection: EngineConnection, door: string): Watched {
  const watched: Watched = { fault: undefined, connection, over: false };
  watched.connection = {
    ...connection,
    query: async (text, params, name) => {
      if (watched.over)
        throw new Error('The transaction of this query is over. Wait for every query inside it.');
      try {
        // A plan is made for the policies of one role, and would be made anew at each change of doors.
        return await connection.query(text, params, name && `${door.slice(0, 1)}_${name}`);
      } catch (error) {
        watched.fault = error;
        throw error;
      }
    },
  };
  return watched;
}

function mayRunAgain(error: unknown): boolean {
  return RERUN.has(sqlState(error) ?? '');
}

/** The change is committed: a callback that fails is a fault of the program, not of the transaction. */
function call(callback: () => void): void {
  try {
    callback();
  } catch (error) {
    void Promise.reject(error);
  }
}

async function commit(connection: EngineConnection, name: string): Promise<void> {
  try {
    await connection.script('commit');
  } catch (error) {
    if (!leavesOpen(error)) {
      await giveUp(connection);
      throw error;
    }
    connection.release(true);
    throw new CommitUnknown(name, error);
  }
  connection.release();
}

async function giveUp(connection: EngineConnection): Promise<void> {
  try {
    await connection.script('rollback');
    connection.release();
  } catch {
    connection.release(true);
  }
}

function pause(ms: number): Promise<void> {
  return new Promise(resolve => setTimeout(resolve, ms));
}
