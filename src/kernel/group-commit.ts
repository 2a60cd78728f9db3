import { outsideTransaction } from './database/database.ts';
import { sqlState } from './database/engine.ts';
import { AppError } from './errors.ts';

/** Stores a batch in one transaction; answers one result per item, in the same order. */
export type Flush<T, R> = (items: T[]) => Promise<R[]>;

export type GroupCommit<T, R> = {
  /** Resolves once the flush that held the item has committed. Rejects with 503 when too much waits. */
  add(item: T): Promise<R>;
  /** Resolves when nothing waits any more. */
  idle(): Promise<void>;
};

type Waiting<T, R> = { item: T; resolve: (result: R) => void; reject: (error: unknown) => void };

/**
 * One flush in flight; the next takes all that arrived meanwhile, at most `max`. There is no timer: a
 * lone item is stored at once, a crowd shares one commit. A batch that fails for its data (SQLSTATE
 * class 22 or 23) is tried again in halves, so that one bad item fails alone.
 */
export function groupCommit<T, R>(
  flush: Flush<T, R>,
  options: { max: number; bound?: number },
): GroupCommit<T, R> {
  const bound = options.bound ?? options.max * 20;
  let waiting: Waiting<T, R>[] = [];
  let running: Promise<void> | undefined;

  const run = async () => {
    while (waiting.length > 0) {
      const batch = waiting.slice(0, options.max);
      waiting = waiting.slice(options.max);
      await settle(flush, batch);
    }
    running = undefined;
  };
  return {
    add: item =>
      new Promise((resolve, reject) => {
        if (waiting.length >= bound) {
          reject(
            new AppError('database_unavailable', 'The database does not keep up. Try again in a moment.'),
          );
          return;
        }
        waiting.push({ item, resolve, reject });
        running ??= outsideTransaction(() => Promise.resolve().then(run));
      }),
    idle: async () => {
      while (running) await running;
    },
  };
}

async function settle<T, R>(flush: Flush<T, R>, batch: Waiting<T, R>[]): Promise<void> {
  try {
    const results = await flush(batch.map(waiting => waiting.item));
    if (results.length !== batch.length) throw new Error('A flush must answer every item.');
    results.forEach((result, index) => {
      batch[index]?.resolve(result);
    });
  } catch (error) {
    if (batch.length > 1 && isAboutData(error)) {
      const half = batch.length >> 1;
      await settle(flush, batch.slice(0, half));
      await settle(flush, batch.slice(half));
      return;
    }
    for (const waiting of batch) waiting.reject(error);
  }
}

/** Whether the data of a transaction is at fault, and not the way to the database. */
function isAboutData(error: unknown): boolean {
  return /^2[23]/.test(sqlState(error) ?? '');
}
