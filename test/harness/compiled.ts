import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** For programs that tests start: what one of them has compiled, the next ones need not compile again. */
export const COMPILED = {
  NODE_COMPILE_CACHE: join(tmpdir(), `convoke-compiled-${process.getuid?.() ?? 0}`),
};
