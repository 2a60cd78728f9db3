import { availableParallelism, loadavg } from 'node:os';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { keepFigure } from '../harness/figures.ts';
import { localIn } from '../harness/pairing.ts';
import { Tally } from '../harness/tally.ts';
import { until } from '../harness/until.ts';
import { Cluster, type Node, TTL_MS } from './cluster.ts';
import { balance, startTraffic } from './traffic.ts';

const SCHEDULES = Number(process.env.CHAOS_SCHEDULES ?? 10);
/** From the loss of the holder until another node drives. */
const TAKEOVER_MS = TTL_MS + 10_000;
/** Both hold for a machine that has no more to do than it has cores. */
const STOP_MS = 3_000;

/** The only way for a socket to be taken over: who is paused cannot close its own. */
const PAUSED = 'holder paused beyond its lease, then woken';

type Struck = { holder: Node; other: Node };

let cluster: Cluster;

beforeAll(async () => {
  cluster = await Cluster.start();
  await cluster.settle();
  await cluster.begin('b');
});
afterAll(() => cluster.close());

/** Each gives how many ms it took until another node drove the number, where one has to. */
const faults: Record<string, (struck: Struck) => Promise<number | undefined>> = {
  'kill -9 of the holder': async ({ holder }) => {
    const from = Date.now();
    await holder.process.end('SIGKILL');
    const took = await cluster.drivenAfter(from);
    await cluster.begin(holder.name);
    return took;
  },
  [PAUSED]: async ({ holder }) => {
    const from = Date.now();
    holder.process.signal('SIGSTOP');
    const took = await cluster.drivenAfter(from);
    holder.process.signal('SIGCONT');
    return took;
  },
  'holder told to stop': async ({ holder }) => {
    const from = Date.now();
    const [took] = await Promise.all([cluster.drivenAfter(from), holder.process.end('SIGTERM')]);
    await cluster.begin(holder.name);
    return took;
  },
  'link of the holder to the database cut': async ({ holder }) => {
    const from = Date.now();
    holder.database.cut();
    const took = await cluster.drivenAfter(from);
    holder.database.mend();
    return took;
  },
  'link of the holder to the database silent': async ({ holder }) => {
    const from = Date.now();
    holder.database.blackhole();
    const took = await cluster.drivenAfter(from);
    holder.database.mend();
    return took;
  },
  'link of the holder to WhatsApp cut': async ({ holder }) => {
    const from = Date.now();
    holder.whatsapp.drop();
    await cluster.drivenAfter(from);
    return undefined;
  },
  'link of the holder to WhatsApp silent for a while': async ({ holder }) => {
    holder.whatsapp.blackhole();
    await pause(1_500);
    holder.whatsapp.mend();
    return undefined;
  },
  'database stopped at once and started again': async () => {
    const start = await cluster.server.crash();
    await pause(700);
    await start();
    return undefined;
  },
};

describe('two nodes and one number, in spite of', () => {
  it(`${SCHEDULES} schedules of faults`, { timeout: 180_000 + SCHEDULES * 30_000 }, async () => {
    const names = Object.keys(faults);
    const ends = new Tally();
    const longest = new Map<string, number>();
    const wrong: string[] = [];
    let slowness = 1;
    for (let at = 0; at < SCHEDULES; at++) {
      const name = names[at % names.length] ?? '';
      const struck = await whoDrives();
      cluster.front.turnTo(struck.other.process.url);
      await cluster.remind(localIn(2));
      const stop = startTraffic(cluster);
      await pause(300 + ((at * 137) % 500));
      const replaced = replacements();
      const took = await faults[name]?.(struck);
      if (name !== PAUSED && replacements() > replaced)
        wrong.push(`${name}: one node took the place of another`);
      await pause(300);
      await stop();
      ends.add(name);
      slowness = Math.max(slowness, (loadavg()[0] ?? 0) / availableParallelism());
      if (took !== undefined) longest.set(name, Math.max(took, longest.get(name) ?? 0));
    }
    wrong.push(...(await balance(cluster, ends)), ...overlaps());
    keepFigure('2-chaos-schedules', {
      fault: `${SCHEDULES} schedules on two nodes with one PostgreSQL, under steady traffic and with a reminder pending: ${names.join('; ')}`,
      invariant:
        'at most one open socket at every instant by the log of the other side; nothing twice, nothing lost; reminders fire once; ' +
        `another node drives within TTL + 10 s, after an orderly stop within 3 s`,
      test: 'test/chaos/schedules.test.ts',
      counted: `${wrong.length} faults; ${cluster.sockets().length} sockets; longest takeovers ${[...longest].map(([name, ms]) => `${name} ${(ms / 1000).toFixed(1)} s`).join(', ')}; ${ends}`,
    });
    expect(wrong).toEqual([]);
    for (const [name, ms] of longest) {
      expect(ms, name).toBeLessThan((name === 'holder told to stop' ? STOP_MS : TAKEOVER_MS) * slowness);
    }
  });
});

async function whoDrives(): Promise<Struck> {
  const holder = await until(() => cluster.holder(), {
    within: 30_000,
    what: () => 'a node to drive the number',
  });
  await until(() => cluster.sockets().some(socket => socket.closed_at === undefined), { within: 30_000 });
  const other = [...cluster.nodes.values()].find(node => node !== holder);
  if (!other) throw new Error('There is only one node.');
  return { holder, other };
}

/** Sockets that were open while another was. */
function overlaps(): string[] {
  const sockets = cluster.sockets();
  return sockets.flatMap((socket, at) => {
    const next = sockets[at + 1];
    if (!next || socket.device !== next.device || (socket.closed_at ?? '9') <= next.opened_at) return [];
    return [`two sockets from ${next.opened_at} to ${socket.closed_at} (${socket.reason})`];
  });
}

function replacements(): number {
  return cluster.sockets().filter(({ reason }) => reason === 'replaced').length;
}

function pause(ms: number): Promise<void> {
  return new Promise(resolve => setTimeout(resolve, ms));
}
