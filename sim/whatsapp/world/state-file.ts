import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { BufferJSON } from 'baileys';
import { restore, type Snapshot, takeSnapshot } from './snapshot.ts';
import type { World } from './world.ts';

const PAUSE_MS = 250;
/** Saving may take at most about this share of the time. */
const LOAD = 0.05;

/** Fills the world from the file; false when there is none. Throws when it is not the simulator's own. */
export function loadState(world: World, path: string): boolean {
  if (!existsSync(path)) return false;
  try {
    restore(world, JSON.parse(readFileSync(path, 'utf8'), BufferJSON.reviver) as Snapshot);
  } catch (error) {
    const reason = error instanceof Error ? error.message : 'unreadable';
    throw new Error(
      `The simulator's state in ${path} cannot be used (${reason}). Remove the file to begin anew.`,
    );
  }
  return true;
}

/** Keeps the file up to date, shortly after each change; call the result to save once more and stop. */
export function keepState(world: World, path: string): () => void {
  let timer: NodeJS.Timeout | undefined;
  let tookMs = 0;
  const save = () => {
    timer = undefined;
    const started = performance.now();
    saveState(world, path);
    tookMs = performance.now() - started;
  };
  const stop = world.changes.listen(() => {
    timer ??= setTimeout(save, Math.max(PAUSE_MS, tookMs / LOAD));
  });
  return () => {
    stop();
    clearTimeout(timer);
    saveState(world, path);
  };
}

function saveState(world: World, path: string): void {
  const beside = `${path}.new`;
  writeFileSync(beside, JSON.stringify(takeSnapshot(world), BufferJSON.replacer), { mode: 0o600 });
  renameSync(beside, path);
}
