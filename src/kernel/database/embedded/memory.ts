import { totalmem } from 'node:os';
import { StartError } from '../../errors.ts';

const LEAST = 1024 ** 3;

/** Opening the embedded database takes about 450 MB; below 1 GiB the first busy hour would kill the process. */
export function refuseSmallMemory(bytes: number = usableMemory()): void {
  if (bytes >= LEAST) return;
  throw new StartError(
    `The embedded database needs 1 GiB of memory; this machine or container allows ${Math.floor(bytes / 1024 ** 2)} MiB. ` +
      'Give it more memory, or set DATABASE_URL to a PostgreSQL server.',
  );
}

/** What the machine has, or what the control group leaves of it. */
function usableMemory(): number {
  const limit = process.constrainedMemory();
  return limit > 0 ? Math.min(limit, totalmem()) : totalmem();
}
