import { spawn } from 'node:child_process';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { COMPILED } from './compiled.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));

type Said = { code: number | null; out: string; err: string };

/** Runs `src/main.ts` or `src/cli.ts` as an operator does, with these settings only, until it ends. */
export function runAsOperator(
  script: 'main.ts' | 'cli.ts',
  args: string[],
  settings: Record<string, string>,
  input = '',
): Promise<Said> {
  const child = spawn(process.execPath, [join(root, 'src', script), ...args], {
    env: { PATH: process.env.PATH ?? '', ...COMPILED, ...settings },
    // Away from the `.env` of whoever runs the tests.
    cwd: tmpdir(),
  });
  child.stdin.end(input);
  return new Promise(resolve => {
    let [out, err] = ['', ''];
    child.stdout.on('data', chunk => {
      out += chunk;
    });
    child.stderr.on('data', chunk => {
      err += chunk;
    });
    child.once('close', code => resolve({ code, out, err }));
  });
}
