import { parseArgs } from 'node:util';
import { createMeter, type Meter } from './cpu.ts';
import { openGround } from './ground.ts';
import { type FarEnd, IN_FLIGHT, startFarEnd } from './http-adapter.ts';
import { floorRound } from './outbox-floor.ts';
import { httpWay, isExact, PHONE } from './outbox-http.ts';
import { benchLinked } from './outbox-linked.ts';
import { benchPinned } from './outbox-pinned.ts';
import { measured, type Phase, sendRound, TEXT } from './outbox-round.ts';
import { judge, median, printMachine, printTable } from './report.ts';

const GATE_ROUNDS = '7';
/** Of the loop by hand, which stores the same rows and promises nothing. */
const GOALS = { rate: 0.5, cpu: 3 };

/**
 * The full protocol (accepted, claimed, attempt committed, POST, answer committed, facts sealed) against a
 * bare loop of the same POSTs over the same connections, and the shortest loop by hand that stores the same rows. The
 * bare loop stores nothing, so no program that keeps a message comes near it on the same two cores; the loop by hand
 * says how much of the distance is the rows themselves, and goals are set by it. All of it shares the machine with the far end and the database.
 * Rounds take turns; medians count.
 * `--gate` takes seven rounds and says whether the goals are reached; `--pinned` compares with a transaction
 * that stays open; `--linked` goes through WhatsApp linked devices instead.
 */
export async function benchOutbox(args: string[]): Promise<boolean> {
  const { values } = parseArgs({
    args,
    options: {
      messages: { type: 'string' },
      rounds: { type: 'string' },
      seconds: { type: 'string' },
      gate: { type: 'boolean', default: false },
      pinned: { type: 'boolean', default: false },
      linked: { type: 'boolean', default: false },
    },
  });
  const number = (given: string | undefined, usual: number) => (given === undefined ? usual : Number(given));
  if (values.linked) return benchLinked(number(values.messages, 300), number(values.rounds, 3));
  if (values.pinned) return benchPinned(number(values.messages, 5_000), number(values.seconds, 300));
  const messages = number(values.messages, 10_000);
  const rounds = number(values.rounds ?? (values.gate ? GATE_ROUNDS : undefined), 3);
  const { phases, valid } = await compare(messages, rounds);
  const reached = report(phases);
  if (values.gate && !reached) process.exitCode = 1;
  return valid;
}

async function compare(messages: number, rounds: number): Promise<{ phases: Phase[]; valid: boolean }> {
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
      await farEnd.clear();
      const way = await httpWay(ground, farEnd);
      const ours = await sendRound(way, meter, count);
      valid = (await isExact(way, farEnd, count)) && valid;
      await farEnd.clear();
      const handWay = await httpWay(ground, farEnd);
      const byHand = await floorRound(ground.url, handWay, farEnd, meter, count);
      valid = (await isExact(handWay, farEnd, count)) && valid;
      if (round > 0) phases.push(raw, byHand, ...ours);
    }
    return { phases, valid };
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

/** Prints the medians, and answers whether the goals are reached by them or within the spread of the rounds. */
function report(phases: Phase[]): boolean {
  const names = [...new Set(phases.map(phase => phase.name))];
  const of = (name: string) => phases.filter(phase => phase.name === name);
  const figures = names.map(name => {
    const perMessage = (pick: (phase: Phase) => number) => median(of(name).map(p => pick(p) / p.messages));
    return {
      name,
      rate: median(of(name).map(phase => phase.messages / phase.seconds)),
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
  const [raw, hand, ours] = [of(names[0] ?? ''), of(names[1] ?? ''), of(names.at(-1) ?? '')];
  const ratios = (pick: (phase: Phase) => number, above: Phase[], below: Phase[]) =>
    above.map((phase, n) => pick(phase) / pick(below[n] ?? phase));
  const rate = (phase: Phase) => phase.messages / phase.seconds;
  const node = (phase: Phase) => phase.cpu.node / phase.messages;
  const database = (phase: Phase) => (phase.cpu.database ?? Number.NaN) / phase.messages;
  const found = (pick: (phase: Phase) => number, above: Phase[], below: Phase[]) =>
    median(ratios(pick, above, below)).toFixed(2);
  console.log(
    `by hand    the same rows over the same POSTs: ${found(rate, hand, raw)} of the limit's rate, ` +
      `${found(node, hand, raw)} times its node CPU: what storing them costs at the least`,
  );
  console.log(
    `of that    ${found(rate, ours, hand)} of the rate, ${found(node, ours, hand)} times the node CPU, ` +
      `${found(database, ours, hand)} times the database CPU`,
  );
  return [
    judge('rate / by hand, at least', GOALS.rate, ratios(rate, ours, hand)),
    judge('node CPU / by hand, at most', GOALS.cpu, ratios(node, ours, hand)),
  ].every(Boolean);
}
