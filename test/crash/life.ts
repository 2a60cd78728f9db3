import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { appendFileSync } from 'node:fs';
import { readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { COMPILED } from '../harness/compiled.ts';
import { heardFile } from '../harness/heard.ts';
import type { Order, Reply } from './child.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** One process of the program, from its start to its end by whatever hand. */
export type Life = {
  /** Resolves once it serves; undefined when it ended before. */
  ready: Promise<{ url: string; setupLink?: string } | undefined>;
  /** The signal or exit code that ended it. */
  ended: Promise<string | number>;
  /** Kills itself at that step from now on; without one it only counts. */
  watch(target?: { step: string; times: number }): Promise<void>;
  /** Also of one that has come to an orderly end. */
  passed(): Promise<Record<string, number>>;
  rows<T>(text: string): Promise<T[]>;
  isOver(): boolean;
  output(): string;
  end(signal: 'SIGTERM' | 'SIGKILL'): Promise<string | number>;
};

export type LifeOptions = {
  env: Record<string, string>;
  /** Armed from the very start. */
  at?: { step: string; times: number } | undefined;
  onReady?: (url: string) => void;
};

const heard = heardFile(`crash-${process.pid}`);

export function beginLife({ env, at, onReady }: LifeOptions): Life {
  const passedFile = join(tmpdir(), `convoke-passed-${randomUUID()}.json`);
  const child = spawn(join(root, 'node_modules/.bin/node'), ['test/crash/child.ts'], {
    cwd: root,
    env: {
      PATH: process.env.PATH ?? '',
      HOME: process.env.HOME ?? '',
      ...COMPILED,
      CONVOKE_PORT: '0',
      CONVOKE_LOG_LEVEL: 'trace',
      CRASH_PASSED: passedFile,
      ...(at ? { CRASH_AT: `${at.times} ${at.step}` } : {}),
      ...env,
    },
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  });
  let output = '';
  const hear = (chunk: Buffer) => {
    output += chunk.toString();
    appendFileSync(heard, chunk);
  };
  child.stdout?.on('data', hear);
  child.stderr?.on('data', hear);
  const ended = new Promise<string | number>(resolve =>
    child.once('close', (code, signal) => resolve(signal ?? code ?? 0)),
  );
  const waiting = new Map<number, { resolve(value: unknown): void; reject(error: Error): void }>();
  let orders = 0;
  const { promise: ready, resolve: isReady } = Promise.withResolvers<
    { url: string; setupLink?: string } | undefined
  >();
  child.on('message', (said: Reply | { url: string; setupLink?: string }) => {
    if ('url' in said) {
      onReady?.(said.url);
      return isReady(said);
    }
    const order = waiting.get(said.id);
    waiting.delete(said.id);
    if (said.fault === undefined) order?.resolve(said.value);
    else order?.reject(new Error(said.fault));
  });
  let over = false;
  void ended.then(how => {
    over = true;
    isReady(undefined);
    for (const { reject } of waiting.values()) reject(new Error(`The process ended (${how}).`));
  });
  const ask = <T>(order: Order): Promise<T> => {
    const { promise, resolve, reject } = Promise.withResolvers<unknown>();
    const id = ++orders;
    waiting.set(id, { resolve, reject });
    child.send({ id, ...order }, error => error && reject(error));
    return promise as Promise<T>;
  };
  return {
    ready,
    ended,
    watch: target => ask(target ? { order: 'watch', target } : { order: 'watch' }),
    passed: () => (over ? readAndRemove(passedFile) : ask({ order: 'passed' })),
    rows: text => ask({ order: 'rows', text }),
    isOver: () => over,
    output: () => output,
    end: signal => {
      child.kill(signal);
      return ended;
    },
  };
}

async function readAndRemove(file: string): Promise<Record<string, number>> {
  const passed = JSON.parse(await readFile(file, 'utf8'));
  await rm(file);
  return passed;
}

/** Throws with what it said when it ended before it served. */
export async function served(life: Life): Promise<{ url: string; setupLink?: string }> {
  const ready = await life.ready;
  if (!ready) throw new Error(`The process ended before it served:\n${life.output()}`);
  return ready;
}
