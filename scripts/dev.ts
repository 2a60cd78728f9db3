import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/** `npm run dev`: the demo, restarted when the server changes, and the web app rebuilt when it changes. */
const root = fileURLToPath(new URL('..', import.meta.url));

const children = [
  spawn(process.execPath, ['--watch-path=src', '--watch-path=db', '--watch-preserve-output', 'sim/demo.ts'], {
    cwd: root,
    stdio: 'inherit',
  }),
  spawn(
    `${root}/node_modules/.bin/vite`,
    ['build', '--watch', '--logLevel', 'warn', '--config', '../vite.config.ts'],
    {
      cwd: `${root}/web`,
      stdio: 'inherit',
    },
  ),
];

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.on(signal, () => {
    for (const child of children) child.kill(signal);
  });
}
