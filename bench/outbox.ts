import { parseArgs } from 'node:util';
import { sql } from 'kysely';
import { createLeases, createSealer, type Scope } from '../src/kernel/index.ts';
import { createMessages, sendMany } from '../src/messages/index.ts';
import { ScriptedChannels } from '../test/harness/scripted-adapter.ts';
import { between, type Cpu, createMeter, type Meter } from './cpu.ts';
import { benchChannel, benchWorkspace, type Ground, openGround } from './ground.ts';
import { type FarEnd, httpProvider, IN_FLIGHT, KIND, startFarEnd } from './http-adapter.ts';
import { median, printMachine, printTable } from './report.ts';

type Phase = { name: string; seconds: number; cpu: Cpu; messages: number };

const ACCEPT_BATCH = 100;
const TEXT = 'The rehearsal begins at half past seven. Please bring the new scores and be on time.';
const PHONE = '+491701234567';

/**
 * The full protocol (accepted, claimed, attempt committed, POST, answer committed, facts sealed) against a
 * bare loop of the same POSTs over the same connections. Rounds take turns; medians count.
 */
export async function benchOutbox(args: string[]): Promise<boolean> {
  const { values } = parseArgs({
    args,
    options: { messages: { type: 'string', default: '10000' }, rounds: { type: 'string', default: '3' } },
  });
  const [messages, rounds] = [Number(values.messages), Number(values.rounds)];
  const ground = await openGround();
  const farEnd = await startFarEnd();
  try {
    printMachine(ground.name);
    console.log(`messages   ${messages} per round, ${rounds} rounds, ${IN_FLIGHT} in flight`);
    const meter = await createMeter(ground.kernel);
    const phases: Phase[] = [];
    let valid = true;
    // The first round warms up both and does not count.
    for (let round = 0; round <= rounds; round++) {
      const count = round === 0 ? Math.min(2_000, messages) : messages;
      const raw = await rawLoop(farEnd, meter, count);
      const ours = await fullProtocol(ground, farEnd, meter, count);
      if (round > 0) phases.push(raw, ...ours.phases);
      valid &&= ours.valid;
    }
    report(phases);
    return valid;
  } finally {
    await farEnd.close();
    await ground.close();
  }
}

async function rawLoop(farEnd: FarEnd, meter: Meter, messages: number): Promise<Phase> {
  await farEnd.clear();
  const body = Buffer.from(TEXT);
  return measured('raw POST loop (the limit)', meter, messages, async () => {
    let next = 0;
    const worker = async () => {
      while (next < messages) await farEnd.post(`raw-${next++}`, PHONE, body);
    };
    await Promise.all(Array.from({ length: IN_FLIGHT }, worker));
  });
}

async function fullProtocol(ground: Ground, farEnd: FarEnd, meter: Meter, messages: number) {
  const { kernel } = ground;
  await farEnd.clear();
  const scope = await benchWorkspace(kernel);
  const channelId = await benchChannel(scope, KIND);
  const provider = httpProvider(farEnd);
  const channels = new ScriptedChannels();
  const room = createMessages(kernel, channels);
  const leases = createLeases(kernel);
  const sealer = createSealer(kernel, leases);
  const accepting = await measured('accept, 100 at a time', meter, messages, () =>
    acceptAll(scope, channelId, messages),
  );
  const sending = await measured('claim, commit, POST, settle, seal', meter, messages, async () => {
    sealer.start();
    room.start();
    channels.connect(provider, scope, channelId);
    await allSealed(ground, scope);
  });
  await room.stop();
  await sealer.stop();
  await leases.stop();
  return { phases: [accepting, sending], valid: await isExact(ground, scope, farEnd, messages) };
}

async function acceptAll(scope: Scope, channelId: string, messages: number): Promise<void> {
  const dueAt = new Date();
  for (let done = 0; done < messages; done += ACCEPT_BATCH) {
    const intents = Array.from({ length: Math.min(ACCEPT_BATCH, messages - done) }, () => ({
      channelId,
      target: { phone: PHONE },
      content: { type: 'text' as const, text: { body: TEXT } },
      dueAt,
      catchUpMs: 3_600_000,
      source: 'api' as const,
      sourceId: null,
    }));
    await sendMany(scope, intents);
  }
}

/** Waits until nothing is due any more and every fact has its number. What became of it all is counted afterwards. */
async function allSealed({ kernel }: Ground, { workspaceId }: Scope): Promise<void> {
  for (;;) {
    const done = await kernel.database.inEngine('bench.progress', async tx => {
      const { rows } = await sql<{ done: boolean }>`
        select not exists (select from due_work where workspace_id = ${workspaceId})
          and not exists (select from activity_pending where workspace_id = ${workspaceId}) as done
      `.execute(tx);
      return rows[0]?.done === true;
    });
    if (done) return;
    await new Promise(resolve => setTimeout(resolve, 100));
  }
}

async function isExact(ground: Ground, scope: Scope, farEnd: FarEnd, messages: number): Promise<boolean> {
  const ledger = await farEnd.ledger();
  const { workspaceId } = scope;
  const rows = await ground.kernel.database.inEngine('bench.counts', async tx => {
    const { rows: counts } = await sql<{ accepted: number; due: number }>`
      select (select count(*)::int from due_work where workspace_id = ${workspaceId}) as due,
        count(*)::int as accepted
      from attempts where workspace_id = ${workspaceId} and status = 'accepted' and provider_id is not null
    `.execute(tx);
    return counts[0];
  });
  const exact =
    ledger.posts === messages &&
    ledger.distinct === messages &&
    rows?.accepted === messages &&
    rows.due === 0;
  const counts = `${ledger.posts} arrived, ${ledger.distinct} distinct, ${rows?.accepted} recorded, ${rows?.due} left`;
  console.log(`counts     ${counts}${exact ? '' : `  <- must be ${messages}, ${messages}, ${messages}, 0`}`);
  return exact;
}

async function measured(
  name: string,
  meter: Meter,
  messages: number,
  work: () => Promise<void>,
): Promise<Phase> {
  const [from, before] = [performance.now(), meter()];
  await work();
  return { name, messages, seconds: (performance.now() - from) / 1_000, cpu: between(before, meter()) };
}

function report(phases: Phase[]): void {
  const names = [...new Set(phases.map(phase => phase.name))];
  const figures = names.map(name => {
    const mine = phases.filter(phase => phase.name === name);
    const perMessage = (pick: (phase: Phase) => number) => median(mine.map(p => pick(p) / p.messages));
    return {
      name,
      rate: median(mine.map(phase => phase.messages / phase.seconds)),
      node: perMessage(phase => phase.cpu.node),
      database: perMessage(phase => phase.cpu.database ?? Number.NaN),
    };
  });
  const limit = figures[0] ?? { rate: 1, node: 1 };
  printTable(
    figures.map(({ name, rate, node, database }, index) => ({
      'medians of the rounds': name,
      'messages/s': Math.round(rate),
      'rate / limit': (rate / limit.rate).toFixed(2),
      'node µs': node.toFixed(0),
      'database µs': index === 0 ? '–' : database.toFixed(0),
      'node / limit': (node / limit.node).toFixed(2),
    })),
  );
}
