import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** One row of docs/RELIABILITY.md, written by the test that proves it. */
export type Figure = {
  /** What is done to the program. */
  fault: string;
  /** What holds all the same. */
  invariant: string;
  /** Path of the test. */
  test: string;
  /** What was counted in the last run. */
  counted: string;
};

const folder = fileURLToPath(new URL('../../figures/', import.meta.url));

/** Keeps the figure of this run under its name; `scripts/reliability.ts` makes the table of all. */
export function keepFigure(name: string, figure: Figure): void {
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, `${name}.json`), `${JSON.stringify(figure, null, 2)}\n`);
}
