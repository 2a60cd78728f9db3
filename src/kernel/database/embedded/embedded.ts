import { StartError } from '../../errors.ts';
import type { Engine } from '../engine.ts';
import { prepareFolder, unreadable } from './folder.ts';
import { lockFolder } from './folder-lock.ts';
import { refuseSmallMemory } from './memory.ts';
import { Session } from './session.ts';
import { DatabaseThread, type Order } from './thread.ts';
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
    const { engine } = await openThread(options, () => undefined);
    return engine;
  }
  let fault = (error: Error) => options.onFault(error);
  const lock = await lockFolder(options.folder, { warn: options.warn, onLost: error => fault(error) });
  try {
    const place = await prepareFolder(options.folder);
    const { engine, thread, session } = await openThread({ folder: place }, error => fault(error)).catch(
      error => {
        throw unreadable(place, error);
      },
    );
    fault = error => {
      fault = () => undefined;
      session.fail(error);
      void thread.stop().then(() => options.onFault(error));
    };
    await proveFlushing(thread, session);
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

type Opened = { engine: EmbeddedEngine; thread: DatabaseThread; session: Session };

async function openThread(order: Order, onFault: (error: Error) => void): Promise<Opened> {
  const thread = await DatabaseThread.start(order, onFault);
  const session = await Session.open(thread.wire);
  const engine: EmbeddedEngine = {
    kind: 'embedded',
    acquire: () => session.acquire(),
    listen: (channel, onPayload) => session.listen(channel, onPayload),
    dump: async () => {
      const connection = await session.acquire();
      try {
        return await thread.dump();
      } finally {
        connection.release();
      }
    },
    close: async () => {
      await session.end();
      await thread.close();
    },
  };
  return { engine, thread, session };
}

/** Our fsync sits where PGlite's private parts look for it; a commit must be seen to use it. */
async function proveFlushing(thread: DatabaseThread, session: Session): Promise<void> {
  const connection = await session.acquire();
  const before = thread.syncs;
  for (let probe = 0; probe < PROBES; probe++) {
    await connection.query(`select pg_logical_emit_message(true, 'convoke', 'flush')`, []);
  }
  connection.release();
  if (thread.syncs - before < PROBES) {
    throw new StartError(
      'The embedded database does not flush its commits to disk, so a power cut would lose data. ' +
        'This copy of Convoke was installed with another version of @electric-sql/pglite than the one it was made for: run `npm ci`.',
    );
  }
}
