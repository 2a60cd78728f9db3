import { spawn } from 'node:child_process';
import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { COMPILED } from './compiled.ts';
import type { Demo } from './demo-process.ts';
import { heardFile } from './heard.ts';
import { until } from './until.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));

export type ConvokeProcess = {
  url: string;
  /** One-time link for the first user, at the first start. */
  setupLink: string | undefined;
  output(): string;
  /** Without waiting for what it does. */
  signal(name: NodeJS.Signals): void;
  /** Its exit code; null when a signal ended it. */
  exited: Promise<number | null>;
  end(signal: 'SIGTERM' | 'SIGKILL'): Promise<number | null>;
};

type Options = {
  /** All that it says is added to this file instead of one for all programs of the test. */
  heard?: string;
  /** What to run instead of node itself, with the node that was meant among its arguments. */
  wrapper?: (command: string[]) => string[];
  /** A module that is loaded into all its threads before the program. */
  preload?: string;
};

/** `npm start` on a free port with the given settings; resolves when it says that it is ready. */
export async function startConvokeProcess(
  env: Record<string, string>,
  { heard = heardFile(`program-${process.pid}`), wrapper = command => command, preload }: Options = {},
): Promise<ConvokeProcess> {
  const node = [
    join(root, 'node_modules/.bin/node'),
    ...(preload ? ['--import', preload] : []),
    'src/main.ts',
  ];
  const [command = '', ...args] = wrapper(node);
  const child = spawn(command, args, {
    cwd: root,
    env: {
      PATH: process.env.PATH ?? '',
      HOME: process.env.HOME ?? '',
      ...COMPILED,
      CONVOKE_PORT: '0',
      ...env,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  const add = (chunk: Buffer) => {
    output += chunk.toString();
    appendFileSync(heard, chunk);
  };
  child.stdout.on('data', add);
  child.stderr.on('data', add);
  const exited = new Promise<number | null>(resolve => child.once('exit', code => resolve(code)));
  const url = await until(
    () => {
      if (child.exitCode !== null) throw new Error(`Convoke ended with ${child.exitCode}:\n${output}`);
      return /Convoke is ready at (http:\S+)/.exec(output)?.[1];
    },
    { within: 60_000, what: () => `the line that says it is ready\n${output}` },
  );
  return {
    url,
    setupLink: /http:\S+\/setup\/\S+/.exec(output)?.[0],
    output: () => output,
    signal: name => child.kill(name),
    exited,
    end: signal => {
      child.kill(signal);
      return exited;
    },
  };
}

/** Follows the one-time link of the first start and chooses a password. */
export async function completeSetup(
  convoke: { url: string; setupLink?: string | undefined },
  password: string,
): Promise<Omit<Demo, 'simulator_url' | 'mail_url' | 'phones'>> {
  const token = /\/setup\/([A-Za-z0-9_-]+)/.exec(convoke.setupLink ?? '')?.[1];
  if (!token) throw new Error(`There is no setup link: ${convoke.setupLink}`);
  const response = await fetch(`${convoke.url}/v1/setup`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', origin: convoke.url },
    body: JSON.stringify({ token, password }),
  });
  if (!response.ok) throw new Error(`Setup answered ${response.status}: ${await response.text()}`);
  return { url: convoke.url, username: 'admin', password, workspace: 'main' };
}
