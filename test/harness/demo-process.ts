import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { until } from './until.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));

export type Demo = {
  url: string;
  username: string;
  password: string;
  workspace: string;
  simulator_url: string;
  phones: { number: string; name: string }[];
};

export type DemoProcess = {
  demo: Demo;
  /** Milliseconds from the spawn to demo.json. */
  readyAfterMs: number;
  output(): string;
  /** Ends it with the signal and waits for its exit; returns the exit code. */
  end(signal: 'SIGTERM' | 'SIGKILL'): Promise<number | null>;
};

/** `npm run demo` as a newcomer runs it, on free ports, in its own data folder. */
export async function startDemo(dataDir: string, env: Record<string, string> = {}): Promise<DemoProcess> {
  const file = join(dataDir, 'demo.json');
  rmSync(file, { force: true });
  const from = performance.now();
  const { child, output, exited } = spawnDemo(dataDir, env);
  await until(
    async () => {
      if (child.exitCode !== null) throw new Error(`The demo ended with ${child.exitCode}:\n${output()}`);
      return existsSync(file);
    },
    { within: 60_000, what: () => `demo.json\n${output()}` },
  );
  return {
    demo: JSON.parse(readFileSync(file, 'utf8')) as Demo,
    readyAfterMs: performance.now() - from,
    output,
    end: signal => {
      child.kill(signal);
      return exited;
    },
  };
}

/** The same without waiting until it is ready. */
export function spawnDemo(dataDir: string, env: Record<string, string> = {}) {
  const child = spawn(join(root, 'node_modules/.bin/node'), ['sim/demo.ts'], {
    cwd: root,
    env: {
      ...process.env,
      CONVOKE_PORT: '0',
      CONVOKE_SIMULATOR_PORT: '0',
      CONVOKE_DATA_DIR: dataDir,
      ...env,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const exited = new Promise<number | null>(resolve => child.once('exit', code => resolve(code)));
  return { child, output: collect(child), exited };
}

function collect(child: ChildProcess): () => string {
  let text = '';
  const add = (chunk: Buffer) => {
    text = (text + chunk.toString()).slice(-200_000);
  };
  child.stdout?.on('data', add);
  child.stderr?.on('data', add);
  return () => text;
}
