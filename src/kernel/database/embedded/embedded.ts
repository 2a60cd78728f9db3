import { StartError } from '../../errors.ts';
import type { Engine } from '../engine.ts';
import { prepareFolder, unreadable } from './folder.ts';
import { lockFolder } from './folder-lock.ts';
import { refuseSmallMemory } from './memory.ts';
import { OnlyConnection } from './only-connection.ts';
import { type Order, PostgresWorker } from './postgres-worker.ts';
import { startUpkeep } from './upkeep.ts';

export type EmbeddedEngine = Engine & {
  /** A tar of the whole database as it is between two transactions. */
  dump(): Promise<Uint8Array<ArrayBuffer>>;
};

export type FolderOptions = {
  /** Belongs to this database alone; made if it is not there. */
  folder: string;
  /** Told what an operator should know: the folder grows, the lock of a dead process was taken over. */
  warn: (text: string) => void;
  /** The database is gone for good (its thread died, the folder was taken): the program must stop. */
  onFault: (error: Error) => void;
};

export type MemoryOptions = {
  memory: true;
  /** What an earlier `dump()` gave. */
  template?: Uint8Array<ArrayBuffer> | undefined;
};

const PROBES = 3;

/**
 * PostgreSQL inside this process, in a thread of its own. One connection, handed out in turn.
 * Throws StartError with the remedy when memory is short, or the folder is in use, broken or of
 * another version.
 */
export async function openEmbedded(options: FolderOptions | MemoryOptions): Promise<EmbeddedEngine> {
  refuseSmallMemory();
  if ('memory' in options) {
    const { engine } = await openWorker(options, () => undefined);
    return engine;
  }
  let early: Error | undefined;
  let fault = (error: Error) => {
    early ??= error;
  };
  const lock = await lockFolder(options.folder, { warn: options.warn, onLost: error => fault(error) });
  try {
    const place = await prepareFolder(options.folder);
    const opening = openWorker({ folder: place }, error => fault(error));
    const { engine, worker, only } = await opening.catch(error => {
      throw unreadable(place, error);
    });
    fault = error => {
      fault = () => undefined;
      only.fail(error);
      void worker.stop().then(() => options.onFault(error));
    };
    if (early) throw early;
    await proveFlushing(worker, only);
    const upkeep = startUpkeep(engine, place, options.warn);
    const close = async () => {
      upkeep.stop();
      await engine.close();
      await lock.release();
    };
    return { ...engine, close };
  } catch (error) {
    await lock.release();
    throw error;
  }
}

type Opened = { engine: EmbeddedEngine; worker: PostgresWorker; only: OnlyConnection };

async function openWorker(order: Order, onFault: (error: Error) => void): Promise<Opened> {
  const worker = await PostgresWorker.start(order, onFault);
  const only = await OnlyConnection.open(worker.wire);
  const engine: EmbeddedEngine = {
    kind: 'embedded',
    acquire: () => only.acquire(),
    listen: (channel, onPayload) => only.listen(channel, onPayload),
    dump: async () => {
      const connection = await only.acquire();
      try {
        return await worker.dump();
      } finally {
        connection.release();
      }
    },
    close: async () => {
      await only.end();
      await worker.close();
    },
  };
  return { engine, worker, only };
}

/** Our fsync sits where PGlite's private parts look for it; a commit must be seen to use it. */
export async function proveFlushing(worker: PostgresWorker, only: OnlyConnection): Promise<void> {
  const connection = await only.acquire();
  const before = worker.syncs;
  for (let probe = 0; probe < PROBES; probe++) {
    await connection.query(`select pg_logical_emit_message(true, 'convoke', 'flush')`, []);
  }
  connection.release();
  if (worker.syncs - before < PROBES) {
    throw new StartError(
      'The embedded database does not flush its commits to disk, so a power cut would lose data. ' +
        'This copy of Convoke was installed with another version of @electric-sql/pglite than the one it was made for: run `npm ci`.',
    );
  }
}
