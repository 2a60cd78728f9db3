import type { Logger } from 'pino';
import { afterCommit, outsideTransaction, running } from './database/database.ts';
import type { Engine } from './database/engine.ts';
import type { Scope } from './scope.ts';

/**
 * Tells who waits that there is something to look at. A wake-up may be lost or doubled, so every
 * listener also looks by itself from time to time. An empty detail means "look for yourself".
 */
export type Wake = {
  /** For after the commit: whoever wakes up must find what it was woken for. */
  publish(topic: string, detail?: string): void;
  on(topic: string, fn: (detail: string) => void): () => void;
  start(): Promise<void>;
  /** Sends what is still waiting, then listens no more. */
  stop(): Promise<void>;
};

const CHANNEL = 'convoke';
const NOTIFY_EVERY_MS = 50;
/** NOTIFY takes less than 8,000 bytes. */
const PAYLOAD_BYTES = 7_500;
/** More details of one topic than this are told as "look for yourself". */
const DETAILS = 100;

type Topics = Map<string, Set<string>>;

/** Of one database; more than one only where tests run several nodes in one process. */
const wakes = new WeakMap<Engine, Set<Wake>>();

/** `bootId` names this process, so that it skips the echo of its own notifications. */
export function createWake(engine: Engine, bootId: string, log: Pick<Logger, 'warn'>): Wake {
  const listeners = new Map<string, Set<(detail: string) => void>>();
  let here: Topics = new Map();
  const elsewhere = createNotifier(engine, bootId, log);
  let deaf: (() => Promise<void>) | undefined;

  const deliver = (topics: Topics) => {
    for (const [topic, details] of topics) {
      for (const fn of listeners.get(topic) ?? []) for (const detail of details) tell(fn, detail, log);
    }
  };
  const deliverHere = () => {
    const topics = here;
    here = new Map();
    deliver(topics);
  };

  const wake: Wake = {
    publish(topic, detail = '') {
      if (here.size === 0) outsideTransaction(() => setImmediate(deliverHere));
      add(here, topic, detail);
      elsewhere.add(topic, detail);
    },
    on(topic, fn) {
      const known = listeners.get(topic) ?? new Set();
      listeners.set(topic, known.add(fn));
      return () => {
        known.delete(fn);
        if (known.size === 0 && listeners.get(topic) === known) listeners.delete(topic);
      };
    },
    async start() {
      deaf = await engine.listen(CHANNEL, payload => {
        const heard = readPayload(payload);
        if (heard && heard.from !== bootId) outsideTransaction(() => deliver(heard.topics));
      });
    },
    async stop() {
      wakes.get(engine)?.delete(wake);
      await elsewhere.stop();
      await deaf?.();
    },
  };
  wakes.set(engine, (wakes.get(engine) ?? new Set()).add(wake));
  return wake;
}

/** Publishes once the running transaction has committed, through the wake of its own database. */
export function wakeAfterCommit(topic: string, detail = ''): void {
  const engine = running()?.database.engine;
  if (!engine) return;
  afterCommit(() => {
    for (const wake of wakes.get(engine) ?? []) wake.publish(topic, detail);
  });
}

/** Tells the open pages of the workspace, after the commit, that something short-lived changed. */
export function hint(scope: Pick<Scope, 'kernel' | 'workspaceId'>, topic: string, id = ''): void {
  const { wake } = scope.kernel;
  afterCommit(() => wake.publish(`hint:${scope.workspaceId}`, `${topic} ${id}`));
}

/** The same for an engine's transaction, which has no scope at hand. */
export function hintAfterCommit(workspaceId: string, topic: string, id = ''): void {
  wakeAfterCommit(`hint:${workspaceId}`, `${topic} ${id}`);
}

/** Sends topics to the other nodes: coalesced, one NOTIFY at a time and at most 20 per second. */
function createNotifier(engine: Engine, bootId: string, log: Pick<Logger, 'warn'>) {
  let waiting: Topics = new Map();
  let timer: NodeJS.Timeout | undefined;
  let running: Promise<void> | undefined;
  let lastAt = Number.NEGATIVE_INFINITY;

  const arm = () => {
    if (timer || running || waiting.size === 0) return;
    const delay = Math.max(0, lastAt + NOTIFY_EVERY_MS - performance.now());
    timer = outsideTransaction(() => setTimeout(() => void flush(), delay));
  };
  const flush = async () => {
    clearTimeout(timer);
    timer = undefined;
    if (running) await running;
    if (waiting.size === 0) return;
    const { payload, rest } = writePayload(bootId, waiting);
    waiting = rest;
    lastAt = performance.now();
    running = notify(engine, payload).catch(error => log.warn({ err: error }, 'wake.notify_failed'));
    await running;
    running = undefined;
    arm();
  };
  return {
    add(topic: string, detail: string) {
      // One process alone has nobody else to tell.
      if (engine.kind === 'embedded') return;
      add(waiting, topic, detail);
      arm();
    },
    async stop() {
      while (waiting.size > 0) await flush();
      clearTimeout(timer);
      await running;
    },
  };
}

async function notify(engine: Engine, payload: string): Promise<void> {
  const connection = await engine.acquire();
  try {
    await connection.query('select pg_notify($1, $2)', [CHANNEL, payload]);
  } catch (error) {
    connection.release(true);
    throw error;
  }
  connection.release();
}

function add(topics: Topics, topic: string, detail: string): void {
  const details = topics.get(topic);
  if (!details) topics.set(topic, new Set([detail]));
  else if (detail === '' || details.size >= DETAILS) topics.set(topic, new Set(['']));
  else if (!details.has('')) details.add(detail);
}

/** As many topics as one NOTIFY takes; the rest goes with the next. */
function writePayload(from: string, topics: Topics): { payload: string; rest: Topics } {
  const now: [string, string[]][] = [];
  const rest: Topics = new Map();
  let bytes = from.length + 20;
  for (const [topic, details] of topics) {
    const entry: [string, string[]] = [topic, [...details]];
    const size = Buffer.byteLength(JSON.stringify(entry)) + 1;
    if (size > PAYLOAD_BYTES / 2) entry[1] = [''];
    bytes += Math.min(size, PAYLOAD_BYTES / 2);
    if (bytes > PAYLOAD_BYTES) rest.set(topic, details);
    else now.push(entry);
  }
  return { payload: JSON.stringify([from, now]), rest };
}

function readPayload(payload: string): { from: string; topics: Topics } | undefined {
  try {
    const [from, topics] = JSON.parse(payload) as [string, [string, string[]][]];
    return { from, topics: new Map(topics.map(([topic, details]) => [topic, new Set(details)])) };
  } catch {
    return undefined;
  }
}

function tell(fn: (detail: string) => void, detail: string, log: Pick<Logger, 'warn'>): void {
  try {
    fn(detail);
  } catch (error) {
    log.warn({ err: error }, 'wake.listener_failed');
  }
}
