import { mkdir, readFile, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { StartError } from '../../errors.ts';
import { describe, ourselves, readHolder, verdictOn } from './holder.ts';

/** A holder whom we cannot see, in another container for instance, is known by the beat of its file. */
const BEAT_MS = 3_000;
const SILENCE_MS = 12_000;
const LOOK_MS = 250;
const ATTEMPTS = 20;

type FolderLock = { release(): Promise<void> };

type LockOptions = {
  warn: (text: string) => void;
  /** Somebody took the folder although we live: everything must stop at once. */
  onLost: (error: Error) => void;
  silenceMs?: number;
};

/**
 * Makes sure that one process at a time uses `folder`: two at once lose committed data without an error.
 * The lock of a dead process is taken over, that of a living one never.
 * Throws StartError that names the holder.
 */
export async function lockFolder(folder: string, options: LockOptions): Promise<FolderLock> {
  await mkdir(folder, { recursive: true, mode: 0o700 }).catch(error => {
    throw new StartError(`The data folder ${folder} cannot be made: ${error.message}`, { cause: error });
  });
  const path = join(folder, 'lock');
  const mark = `${JSON.stringify(await ourselves())}\n`;
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    if (await create(path, mark)) return keep(path, mark, options.onLost);
    await takeFromTheDead(path, folder, options);
  }
  throw new StartError(
    `The lock of the data folder, ${path}, keeps changing hands. Is something starting Convoke over and over?`,
  );
}

/** For programs that write into the folder before they open the database. Throws StartError that names the holder. */
export async function refuseHeldFolder(folder: string): Promise<void> {
  const holder = readHolder((await read(join(folder, 'lock'))) ?? '');
  if (holder && (await verdictOn(holder)) === 'alive') throw held(folder, holder);
}

async function create(path: string, mark: string): Promise<boolean> {
  try {
    await writeFile(path, mark, { flag: 'wx', mode: 0o600, flush: true });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw new StartError(`Convoke may not write in its data folder: ${(error as Error).message}`, {
      cause: error,
    });
  }
}

async function takeFromTheDead(path: string, folder: string, options: LockOptions): Promise<void> {
  const found = await read(path);
  if (found === undefined) return;
  const holder = readHolder(found);
  const verdict = holder === undefined ? 'out of sight' : await verdictOn(holder);
  const dead =
    verdict === 'dead' ||
    (verdict === 'out of sight' && !(await beats(path, options.silenceMs ?? SILENCE_MS)));
  // Given up or taken by another while we looked: then look at that one.
  if ((await read(path)) !== found) return;
  if (!dead) {
    throw held(folder, holder);
  }
  if (await removeAlone(path, found)) {
    options.warn(`Took over the data folder ${folder} from ${describe(holder)}, which is gone.`);
  }
}

function held(folder: string, holder: Parameters<typeof describe>[0]): StartError {
  return new StartError(
    `The data folder ${folder} is in use by ${describe(holder)}. Stop that one first, or give this one another folder with CONVOKE_DATA_DIR.`,
  );
}

/** Undefined when there is none. */
function read(path: string): Promise<string | undefined> {
  return readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw new StartError(`The lock of the data folder cannot be read: ${error.message}`, { cause: error });
  });
}

/** Whether the file changes, or goes away, within `ms`. */
async function beats(path: string, ms: number): Promise<boolean> {
  const beat = async () => (await stat(path).catch(() => undefined))?.mtimeMs;
  const first = await beat();
  const until = performance.now() + ms;
  while (performance.now() < until) {
    await pause(LOOK_MS);
    if ((await beat()) !== first) return true;
  }
  return false;
}

/**
 * Removes the lock that was judged dead. Of several who judged the same, one at a time may try, and only
 * while it is still that lock: else the second would remove the new lock of the first.
 */
async function removeAlone(path: string, judged: string): Promise<boolean> {
  const turn = `${path}.taking`;
  if (!(await create(turn, String(process.pid)))) {
    const since = (await stat(turn).catch(() => undefined))?.mtimeMs ?? Date.now();
    // Left by one that crashed within these few lines.
    if (Date.now() - since > SILENCE_MS) await rm(turn, { force: true });
    await pause(LOOK_MS);
    return false;
  }
  try {
    if ((await read(path)) !== judged) return false;
    await rm(path, { force: true });
    return true;
  } finally {
    await rm(turn, { force: true });
  }
}

function keep(path: string, mark: string, onLost: (error: Error) => void): FolderLock {
  const isOurs = async () => (await read(path)) === mark;
  const beat = async () => {
    // Only a lock that is seen to be gone is lost; what cannot be read now is looked at again.
    if (await isOurs().catch(() => true)) {
      const now = new Date();
      await utimes(path, now, now).catch(() => undefined);
    } else if (!released) {
      clearInterval(timer);
      onLost(new Error(`The lock of the data folder, ${path}, was taken away from this process.`));
    }
  };
  let released = false;
  const timer = setInterval(() => void beat(), BEAT_MS);
  timer.unref();
  return {
    release: async () => {
      released = true;
      clearInterval(timer);
      if (await isOurs()) await rm(path, { force: true });
    },
  };
}
