import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const folder = fileURLToPath(new URL('../../figures/heard/', import.meta.url));

/** File for all that the programs of one test say; the search for secrets reads it when the suite is through. */
export function heardFile(name: string): string {
  mkdirSync(folder, { recursive: true });
  return join(folder, `${name}.log`);
}
