import type { Tx } from './database/database.ts';
import { ensurePartitions } from './database/open.ts';
import type { Kernel } from './kernel.ts';
import { purgeLimits } from './limits.ts';

const DAY_MS = 86_400_000;

/** Forgets what nobody asks for any more. */
type Purge = (tx: Tx, now: Date) => Promise<void>;

/**
 * Keeps the partitions of the coming months there while the program runs, and away what the rooms no longer need.
 * Returns the way to stop.
 */
export function startUpkeep(kernel: Kernel, purges: Purge[] = []): () => void {
  const timer = setInterval(() => {
    ensurePartitions(kernel.database.engine).catch(error =>
      kernel.log.error({ event: 'kernel.partitions', err: error }),
    );
    for (const purge of [purgeLimits, ...purges]) {
      kernel.database
        .inEngine('kernel.purge', tx => purge(tx, kernel.clock.now()))
        .catch(error => kernel.log.warn({ event: 'kernel.purge', err: error }));
    }
  }, DAY_MS);
  timer.unref();
  return () => clearInterval(timer);
}
