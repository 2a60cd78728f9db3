import pg from 'pg';
import { createMeter, type Meter } from './cpu.ts';
import { type Ground, openGround, statement } from './ground.ts';
import { startFarEnd } from './http-adapter.ts';
import { httpWay, isExact } from './outbox-http.ts';
import { type Phase, sendRound, type Way } from './outbox-round.ts';
import { judge, median, printMachine, printTable } from './report.ts';

const GOAL = 0.9;

/**
 * The same outbox, one workspace and one channel all along, with and without a transaction that stays open: nothing
 * that was deleted or replaced since can be cleared away, and every look at the tables walks over it. Half of the
 * time without it comes before, half after, with a vacuum in between.
 */
export async function benchPinned(messages: number, seconds: number): Promise<boolean> {
  const ground = await openGround();
  const farEnd = await startFarEnd();
  try {
    printMachine(ground.name);
    console.log(`pinned     ${seconds} s, and as long without; ${messages} messages per round`);
    const meter = await createMeter(ground.kernel);
    const way = await httpWay(ground, farEnd);
    let sent = 0;
    const rounds = async (during: number) => {
      const phases: Phase[] = [];
      const end = performance.now() + during * 1_000;
      do {
        phases.push(await sendOne(way, meter, messages, sent));
        sent += messages;
      } while (performance.now() < end);
      return phases;
    };
    await rounds(0);
    const before = await rounds(seconds / 2);
    const unpin = await pin(ground);
    const pinned = await rounds(seconds);
    await unpin();
    await statement(ground.url, 'vacuum');
    const after = await rounds(seconds / 2);
    const valid = await isExact(way, farEnd, sent);
    if (!report(before, pinned, after)) process.exitCode = 1;
    return valid;
  } finally {
    await farEnd.close();
    await ground.close();
  }
}

async function sendOne(way: Way, meter: Meter, messages: number, before: number): Promise<Phase> {
  const [, sending] = await sendRound(way, meter, messages, before);
  if (!sending) throw new Error('A round has two phases.');
  return sending;
}

/** A transaction that only looks, as a backup or a forgotten session does. */
async function pin({ url }: Ground): Promise<() => Promise<void>> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  await client.query('begin isolation level repeatable read');
  await client.query('select count(*) from workspaces');
  return async () => {
    await client.query('commit');
    await client.end();
  };
}

function report(before: Phase[], pinned: Phase[], after: Phase[]): boolean {
  const half = Math.ceil(pinned.length / 2);
  const rates = (phases: Phase[]) => phases.map(phase => phase.messages / phase.seconds);
  const unpinned = median(rates([...before, ...after]));
  const row = (name: string, phases: Phase[]) => ({
    'medians of the rounds': name,
    rounds: phases.length,
    'messages/s': Math.round(median(rates(phases))),
    'rate / unpinned': (median(rates(phases)) / unpinned).toFixed(2),
    'node µs': median(phases.map(phase => phase.cpu.node / phase.messages)).toFixed(0),
    'database µs': median(phases.map(phase => (phase.cpu.database ?? 0) / phase.messages)).toFixed(0),
  });
  printTable([
    row('unpinned, before', before),
    row('pinned, first half', pinned.slice(0, half)),
    row('pinned, second half', pinned.slice(half)),
    row('unpinned, after', after),
  ]);
  return judge(
    'pinned rate / unpinned, at least',
    GOAL,
    rates(pinned).map(rate => rate / unpinned),
  );
}
