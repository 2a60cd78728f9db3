import { parseArgs } from 'node:util';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { sql } from 'kysely';
import type { PacingAdvice } from '../src/channels/index.ts';
import { createSealer, type Scope } from '../src/kernel/index.ts';
import { createMessages, send, sendMany } from '../src/messages/index.ts';
import {
  accept,
  ScriptedChannels,
  ScriptedProvider,
  scriptedCapabilities,
  scriptedChannel,
} from '../test/harness/scripted-adapter.ts';
import { benchWorkspace, type Ground, openGround, statement } from './ground.ts';
import { content } from './outbox-round.ts';
import { judge, median, percentile, printMachine, printTable } from './report.ts';

/** As a linked number is paced, but for the limit of new people, so that the channel never stops sending. */
const ADVICE: PacingAdvice = {
  messagesPerMinute: 30,
  burst: 5,
  groupsPerMinute: 20,
  groupBurst: 3,
  newPeoplePerDay: 200_000,
  warmUpDays: 0,
  warmUpFrom: 1,
};
/** No second look of the due worker may lie between acceptance and wire: it polls once a second. */
const GOALS = { memory: 10, lag: 1.5, p99: 500 };
/** Never in the way of messages that are sent one by one. */
const SWIFT: PacingAdvice = { ...ADVICE, messagesPerMinute: 60_000, burst: 1_000 };
const PAUSE_MS = 100;
const ACCEPT_BATCH = 500;

type Round = { name: string; lags: number[]; heap: number; rss: number };

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

/**
 * What a long backlog of one paced channel costs: the memory of the node, and the time from the acceptance of a message
 * on another channel until its adapter has it. The same node all along, first without the backlog, then with it.
 */
export async function benchBacklog(args: string[]): Promise<boolean> {
  const { values } = parseArgs({
    args,
    options: {
      waiting: { type: 'string', default: '100000' },
      messages: { type: 'string', default: '200' },
    },
  });
  const [waiting, messages] = [Number(values.waiting), Number(values.messages)];
  const ground = await openGround();
  try {
    printMachine(ground.name);
    console.log(
      `backlog    ${waiting} due on one paced channel; ${messages} messages on another, one by one`,
    );
    const { rounds, exact } = await run(ground, waiting, messages);
    return report(rounds) && exact;
  } finally {
    await ground.close();
  }
}

async function run(ground: Ground, waiting: number, messages: number) {
  const { kernel, leases } = ground;
  const scope = await benchWorkspace(kernel);
  const [free, paced] = [await scriptedChannel(scope), await scriptedChannel(scope)];
  const swift = new ScriptedProvider({ ...scriptedCapabilities, pacing: SWIFT });
  const slow = new ScriptedProvider({ ...scriptedCapabilities, pacing: ADVICE });
  const channels = new ScriptedChannels();
  channels.connect(swift, scope, free);
  channels.connect(slow, scope, paced);
  const sealer = createSealer(kernel, leases);
  const room = createMessages(kernel, channels);
  sealer.start();
  room.start();
  const measure = (name: string) => oneByOne(name, scope, free, swift, messages);
  await measure('warm-up');
  const rounds = [await measure('without')];
  await fill(scope, paced, waiting);
  await statement(ground.url, 'analyze');
  rounds.push(await measure('with the backlog'), await measure('with the backlog, later'));
  await room.stop();
  await sealer.stop();
  const exact =
    swift.arrived.length === 4 * messages && (await isExact(ground, paced, slow.arrived.length, waiting));
  return { rounds, exact };
}

/** Sent a moment apart, as people do: what counts is how long each takes, not how many go at once. */
async function oneByOne(
  name: string,
  scope: Scope,
  channelId: string,
  provider: ScriptedProvider,
  messages: number,
): Promise<Round> {
  const lags: number[] = [];
  for (let n = 0; n < messages; n++) {
    const arrived = new Promise<void>(resolve => {
      provider.script = (wire, deadline) => {
        resolve();
        return accept(wire, deadline);
      };
    });
    const from = performance.now();
    await send(scope, { channelId, target: { phone: '+491701234567' }, content });
    await arrived;
    lags.push(performance.now() - from);
    await new Promise(resolve => setTimeout(resolve, PAUSE_MS));
  }
  collectGarbage();
  const { heapUsed, rss } = process.memoryUsage();
  return { name, lags, heap: heapUsed / 2 ** 20, rss: rss / 2 ** 20 };
}

async function fill(scope: Scope, channelId: string, waiting: number): Promise<void> {
  const started = performance.now();
  for (let done = 0; done < waiting; done += ACCEPT_BATCH) {
    const intents = Array.from({ length: Math.min(ACCEPT_BATCH, waiting - done) }, (_, n) => ({
      channelId,
      target: { phone: `+4917${100_000_000 + done + n}` },
      content,
      dueAt: new Date(),
      catchUpMs: 24 * 3_600_000,
      source: 'api' as const,
      sourceId: null,
    }));
    await sendMany(scope, intents);
  }
  console.log(`accepted   in ${((performance.now() - started) / 1_000).toFixed(1)} s`);
}

/** Of the backlog all waits but what the pace has let go, and no more is claimed than goes soon. */
async function isExact({ kernel }: Ground, paced: string, arrived: number, waiting: number) {
  const { rows } = await kernel.database.inEngine('bench.backlog', tx =>
    sql<{ queued: number; sent: number }>`
      select count(*) filter (where status = 'queued')::int as queued,
        count(*) filter (where status = 'sent')::int as sent
      from deliveries where channel_id = ${paced}
    `.execute(tx),
  );
  const { queued = 0, sent = 0 } = rows[0] ?? {};
  console.log(`counts     ${arrived} of the backlog arrived, ${sent} recorded, ${queued} wait`);
  return sent === arrived && queued === waiting - arrived;
}

function report(rounds: Round[]): boolean {
  printTable(
    rounds.map(({ name, lags, heap, rss }) => ({
      round: name,
      'lag p50 ms': median(lags).toFixed(1),
      'p99 ms': percentile(lags, 0.99).toFixed(1),
      'most ms': Math.max(...lags).toFixed(1),
      'heap MB': heap.toFixed(1),
      'rss MB': rss.toFixed(0),
    })),
  );
  const [without, ...withBacklog] = rounds as [Round, ...Round[]];
  return [
    judge(
      'MB of heap more with the backlog, at most',
      GOALS.memory,
      withBacklog.map(({ heap }) => heap - without.heap),
    ),
    judge(
      'median lag of the other channel / without, at most',
      GOALS.lag,
      withBacklog.map(({ lags }) => median(lags) / median(without.lags)),
    ),
    judge(
      'p99 lag of the other channel in ms, at most',
      GOALS.p99,
      withBacklog.map(({ lags }) => percentile(lags, 0.99)),
    ),
  ].every(Boolean);
}
