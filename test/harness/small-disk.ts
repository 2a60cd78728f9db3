import { execFileSync } from 'node:child_process';
import { chmodSync, closeSync, mkdtempSync, openSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** A place for files that can be made to have no room left. */
export type SmallDisk = {
  folder: string;
  /** For the processes that write there. */
  env: Record<string, string>;
  fill(): void;
  free(): void;
  close(): void;
};

const BLOCK = Buffer.alloc(4_096);

/** A file system in memory; undefined where nothing may be mounted. */
export function mountedDisk(megabytes: number): SmallDisk | undefined {
  const folder = mkdtempSync(join(tmpdir(), 'convoke-disk-'));
  const ballast = join(folder, 'ballast');
  try {
    const size = `size=${megabytes}m,mode=0777`;
    execFileSync('mount', ['-t', 'tmpfs', '-o', size, 'tmpfs', folder], { stdio: 'ignore' });
  } catch {
    rmSync(folder, { recursive: true });
    return undefined;
  }
  return {
    folder,
    env: {},
    fill: () => {
      const file = openSync(ballast, 'w');
      try {
        for (;;) writeSync(file, BLOCK);
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
      } finally {
        closeSync(file);
      }
    },
    free: () => rmSync(ballast),
    close: () => {
      execFileSync('umount', ['-l', folder]);
      rmSync(folder, { recursive: true });
    },
  };
}

/** Any folder; the process itself is told that there is no room (see `no-room.ts`). */
export function pretendedDisk(): SmallDisk {
  const folder = mkdtempSync(join(tmpdir(), 'convoke-disk-'));
  chmodSync(folder, 0o777);
  const sign = join(folder, 'no-room');
  return {
    folder,
    env: {
      NODE_OPTIONS: `--import=${fileURLToPath(new URL('no-room.ts', import.meta.url))}`,
      NO_ROOM_IN: folder,
    },
    fill: () => writeFileSync(sign, ''),
    free: () => rmSync(sign),
    close: () => rmSync(folder, { recursive: true }),
  };
}
