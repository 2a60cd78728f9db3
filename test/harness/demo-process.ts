import { type ChildProcess, spawn } from 'node:child_process';
import { appendFileSync, existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { heardFile, keepSecret } from './heard.ts';
import { until } from './until.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));

export type Demo = {
  url: string;
  username: string;
  password: string;
  workspace: string;
  simulator_url: string;
  mail_url: string;
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
  const demo = JSON.parse(readFileSync(file, 'utf8')) as Demo;
  return {
    demo,
    readyAfterMs: performance.now() - from,
    output,
    end: async signal => {
      await keepTexts(demo.simulator_url);
      child.kill(signal);
      return exited;
    },
  };
}

type Handsets = { data: { chats: { messages: { text: string }[] }[] }[] };

/** What people have written to each other by way of the demo stands in no log of it. */
async function keepTexts(simulator: string): Promise<void> {
  const answer = await fetch(`${simulator}/phones`).catch(() => undefined);
  const handsets = ((await answer?.json()) as Handsets | undefined)?.data ?? [];
  const texts = handsets.flatMap(({ chats }) =>
    chats.flatMap(({ messages }) => messages.map(({ text }) => text)),
  );
  for (const line of new Set(texts.flatMap(text => text.split('\n')))) keepSecret(line);
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
      CONVOKE_LOG_LEVEL: 'debug',
      ...env,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const exited = new Promise<number | null>(resolve => child.once('exit', code => resolve(code)));
  return { child, output: collect(child), exited };
}

const heard = heardFile(`demo-${process.pid}`);

function collect(child: ChildProcess): () => string {
  let text = '';
  const add = (chunk: Buffer) => {
    appendFileSync(heard, chunk);
    text = (text + chunk.toString()).slice(-200_000);
  };
  child.stdout?.on('data', add);
  child.stderr?.on('data', add);
  return () => text;
}
