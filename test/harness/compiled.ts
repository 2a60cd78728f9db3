import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

/** For programs that tests start: what one of them has compiled, the next ones need not compile again. */
export const COMPILED = {
  NODE_COMPILE_CACHE: join(tmpdir(), `convoke-compiled-${process.getuid?.() ?? 0}`),
};

let postgres: Promise<unknown> | undefined;

/**
 * As long as somebody holds the module, all embedded databases of this process run on code that was compiled and
 * optimised once: that is half of what it costs to open one.
 */
export async function keepPostgresCompiled(): Promise<void> {
  const path = createRequire(import.meta.url).resolve('@electric-sql/pglite');
  postgres ??= WebAssembly.compile(readFileSync(join(dirname(path), 'pglite.wasm')));
  await postgres;
}
