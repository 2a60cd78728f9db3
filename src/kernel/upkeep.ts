import { ensurePartitions } from './database/open.ts';
import type { Kernel } from './kernel.ts';
import { purgeLimits } from './limits.ts';

const DAY_MS = 86_400_000;

/** Keeps the partitions of the coming months there while the program runs, and old counts away. Returns the way to stop. */
export function startUpkeep(kernel: Kernel): () => void {
  const timer = setInterval(() => {
    ensurePartitions(kernel.database.engine).catch(error =>
      kernel.log.error({ event: 'kernel.partitions', err: error }),
    );
    kernel.database
      .inEngine('kernel.purge_limits', purgeLimits)
      .catch(error => kernel.log.warn({ event: 'kernel.purge_limits', err: error }));
  }, DAY_MS);
  timer.unref();
  return () => clearInterval(timer);
}
