import { parseArgs } from 'node:util';
import { sql } from 'kysely';
import { PgBoss } from 'pg-boss';
import { newId, type Scope } from '../src/kernel/index.ts';
import { createMessages } from '../src/messages/index.ts';
import { ScriptedChannels, ScriptedProvider, scriptedChannel } from '../test/harness/scripted-adapter.ts';
import { timeCommits } from './commits.ts';
import { benchWorkspace, type Ground, openGround, statement } from './ground.ts';
import { median, percentile, printMachine, printTable, verdict } from './report.ts';
import { scheduleAcrossKill } from './schedule-kill.ts';
import { instantOf, sendAt } from './schedule-messages.ts';

type Options = { waiting: number; due: number; windowMs: number };

/** What one contender did: lateness in ms per firing, and how often each item fired. */
type Firings = { late: number[]; early: number; times: Map<string, number> };

const LEAD_MS = 4_000;
const PATIENCE_MS = 15_000;
const COMMIT_EVERY_MS = 50;

/**
 * How late a message is handed to its adapter, with many more waiting: the whole way, attempt committed.
 * Beside it, in the same run and process: bare timers (the limit), single commits, and pg-boss polling at its fastest.
 * Then the same across a kill -9, for the counts.
 */
export async function benchSchedule(args: string[]): Promise<boolean> {
  const { values } = parseArgs({
    args,
    options: {
      waiting: { type: 'string', default: '100000' },
      due: { type: 'string', default: '300' },
      window: { type: 'string', default: '20' },
    },
  });
  const options: Options = {
    waiting: Number(values.waiting),
    due: Number(values.due),
    windowMs: Number(values.window) * 1_000,
  };
  const ground = await openGround();
  try {
    printMachine(ground.name);
    console.log(
      `waiting    ${options.waiting}, of which ${options.due} fall due within ${options.windowMs / 1_000} s`,
    );
    const { timer, ours, boss, commits } = await run(ground, options);
    printTable([
      rowOf('bare timer (the limit)', timer, timer),
      rowOf('convoke: hand-off to the adapter', ours, timer),
      rowOf('pg-boss, polling every 0.5 s', boss, timer),
    ]);
    const survived = await scheduleAcrossKill(ground, options.due);
    judgeLateness(timer, ours, commits);
    const exact = [timer, ours, boss].every(firings => isExact(firings, options.due)) && survived;
    verdict('zero early, zero twice, none lost, also across a kill -9', exact);
    return exact;
  } finally {
    await ground.close();
  }
}

async function run(ground: Ground, options: Options) {
  const convoke = await prepareConvoke(ground, options.waiting);
  const boss = await prepareBoss(ground, options.waiting);
  await statement(ground.url, 'analyze');
  const from = Date.now() + LEAD_MS;
  const instants = Array.from({ length: options.due }, (_, n) =>
    Math.round(from + ((n + Math.random()) * options.windowMs) / options.due),
  );
  await convoke.schedule(instants);
  await boss.schedule(instants);
  const timer = armTimers(instants);
  const commits = timeCommits(ground, COMMIT_EVERY_MS, from + options.windowMs);
  await waitFor(
    () => [timer, convoke.firings, boss.firings].every(firings => firings.times.size >= options.due),
    from + options.windowMs + PATIENCE_MS,
  );
  await convoke.stop();
  await boss.stop();
  return { timer, ours: convoke.firings, boss: boss.firings, commits: await commits };
}

function armTimers(instants: number[]): Firings {
  const firings = none();
  instants.forEach((instant, n) => {
    const fire = () => {
      if (Date.now() < instant) setImmediate(fire);
      else note(firings, String(n), instant);
    };
    setTimeout(fire, instant - Date.now());
  });
  return firings;
}

async function prepareConvoke(ground: Ground, waiting: number) {
  const { kernel } = ground;
  const firings = none();
  const provider = new ScriptedProvider();
  provider.script = wire => {
    const text = Buffer.from(wire.payload).toString();
    note(firings, text, instantOf(text));
    return { outcome: 'accepted', at: new Date(), providerId: wire.providerId };
  };
  const scope = await benchWorkspace(kernel);
  const channelId = await scriptedChannel(scope);
  await fillOutbox(ground, scope, channelId, waiting);
  const channels = new ScriptedChannels();
  channels.connect(provider, scope, channelId);
  const messages = createMessages(kernel, channels);
  messages.start();
  return {
    firings,
    schedule: (instants: number[]) => sendAt(scope, channelId, instants),
    stop: () => messages.stop(),
  };
}

/** Messages of the coming month, written in bulk as `sendMany` would write them. */
async function fillOutbox(
  { kernel }: Ground,
  scope: Scope,
  channelId: string,
  waiting: number,
): Promise<void> {
  const { workspaceId } = scope;
  await kernel.database.inEngine(
    'bench.fill',
    tx =>
      sql`
      with made as (
        select gen_random_uuid() as id, now() + interval '1 hour' + n * interval '20 seconds' as due_at
        from generate_series(1, ${waiting}::int) n
      ), m as (
        insert into messages (workspace_id, id, channel_id, direction, source, content)
        select ${workspaceId}::uuid, id, ${channelId}::uuid, 'out', 'api', '{"type":"text","text":{"body":"later"}}'
        from made
      ), d as (
        insert into deliveries (workspace_id, id, message_id, channel_id, phone, due_at, catch_up_until)
        select ${workspaceId}::uuid, id, id, ${channelId}::uuid, '+491701234567', due_at, due_at + interval '1 hour'
        from made
      )
      insert into due_work (workspace_id, kind, subject_id, lane, due_at)
      select ${workspaceId}::uuid, kind, id, ${channelId}::uuid, due_at
      from made, unnest(array['delivery', 'delivery_watch']) as kind
    `.execute(tx),
    { patient: true },
  );
}

async function prepareBoss(ground: Ground, waiting: number) {
  const firings = none();
  const boss = new PgBoss({ connectionString: ground.url, max: 4 });
  boss.on('error', error => console.error(`pg-boss: ${error.message}`));
  await boss.start();
  await boss.createQueue('bench');
  for (let done = 0; done < waiting; done += 5_000) {
    const jobs = Array.from({ length: Math.min(5_000, waiting - done) }, (_, n) => ({
      data: {},
      startAfter: new Date(Date.now() + 3_600_000 + (done + n) * 20_000),
    }));
    await boss.insert('bench', jobs);
  }
  await boss.work<{ id: string; instant: number }>(
    'bench',
    { pollingIntervalSeconds: 0.5, batchSize: 50 },
    async jobs => {
      for (const { data } of jobs) note(firings, data.id, data.instant);
    },
  );
  return {
    firings,
    schedule: async (instants: number[]) => {
      await boss.insert(
        'bench',
        instants.map(instant => ({ data: { id: newId(), instant }, startAfter: new Date(instant) })),
      );
    },
    stop: () => boss.stop({ graceful: false }),
  };
}

function none(): Firings {
  return { late: [], early: 0, times: new Map() };
}

function note(firings: Firings, id: string, instant: number): void {
  if (Date.now() < instant) firings.early += 1;
  firings.late.push(performance.timeOrigin + performance.now() - instant);
  firings.times.set(id, (firings.times.get(id) ?? 0) + 1);
}

function twice(firings: Firings): number {
  return [...firings.times.values()].filter(count => count > 1).length;
}

function isExact(firings: Firings, due: number): boolean {
  return firings.early === 0 && twice(firings) === 0 && firings.times.size === due;
}

function rowOf(name: string, firings: Firings, limit: Firings): Record<string, string | number> {
  const p99 = percentile(firings.late, 0.99);
  return {
    'lateness in ms': name,
    p50: percentile(firings.late, 0.5).toFixed(1),
    p99: p99.toFixed(1),
    max: percentile(firings.late, 1).toFixed(1),
    'p99 / limit': (p99 / percentile(limit.late, 0.99)).toFixed(1),
    fired: firings.times.size,
    early: firings.early,
    twice: twice(firings),
  };
}

/** Two commits are what the whole way has to store between the instant and the wire: the claim and the attempt. */
function judgeLateness(timer: Firings, ours: Firings, commits: number[]): void {
  const [limit, own] = [timer, ours].map(firings => percentile(firings.late, 0.99)) as [number, number];
  const commit = median(commits);
  const allowed = limit + 2 * commit;
  verdict(
    `p99 at most the bare timer's ${limit.toFixed(1)} ms and two commits of ${commit.toFixed(1)} ms (median; p99 ` +
      `${percentile(commits, 0.99).toFixed(1)}) = ${allowed.toFixed(1)} ms: ${own.toFixed(1)} ms`,
    own <= allowed,
  );
}

async function waitFor(done: () => boolean, until: number): Promise<void> {
  while (!done() && Date.now() < until) await new Promise(resolve => setTimeout(resolve, 100));
}
