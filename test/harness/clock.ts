import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The wall clock of programs, which a test can set. */
export type SettableClock = {
  /** For the programs that go by it. */
  env: Record<string, string>;
  /** From now on it differs from the machine's by so much. */
  shift(ms: number): void;
};

/** `folder` is a place for the file that it is told by. */
export function settableClock(folder: string, name: string): SettableClock {
  const file = join(folder, `${name}.shift`);
  const shift = (ms: number) => writeFileSync(file, String(ms));
  shift(0);
  const preload = fileURLToPath(new URL('./shifted-clock.ts', import.meta.url));
  return { env: { NODE_OPTIONS: `--import=${preload}`, SHIFT_FILE: file }, shift };
}
