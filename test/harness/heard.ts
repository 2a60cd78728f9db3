import { appendFileSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const folder = fileURLToPath(new URL('../../figures/heard/', import.meta.url));

/** File for all that the programs of one test say; the search for secrets reads it when the suite is through. */
export function heardFile(name: string): string {
  mkdirSync(folder, { recursive: true });
  return join(folder, `${name}.log`);
}

/** A value that must never stand in what a program says, such as a key or a cookie of this run. */
export function keepSecret(value: string): void {
  mkdirSync(folder, { recursive: true });
  appendFileSync(join(folder, 'secrets.txt'), `${value}\n`);
}
