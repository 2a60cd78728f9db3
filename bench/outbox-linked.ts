import { type Simulators, startSimulators } from '../sim/world.ts';
import { createChannels, createLinkedAdapter, type Driven, declareKind } from '../src/channels/index.ts';
import { createMessages } from '../src/messages/index.ts';
import { createMeter, type Meter } from './cpu.ts';
import { benchWorkspace, openGround } from './ground.ts';
import { content, measured, type Phase, recorded, sendRound, type Way } from './outbox-round.ts';
import { pairNumber } from './pairing.ts';
import { median, printMachine, printTable } from './report.ts';

const OURS = '+4915550100000';
/** One of the simulator's own phones. */
const THEIRS = '+15550000002';
/** As many as the outbox has on one socket at a time. */
const IN_FLIGHT = 8;
const DEADLINE_MS = 60_000;

/**
 * The full protocol through WhatsApp linked devices: one paired number, unpaced, to one person. The limit is a bare
 * loop over the same connection, encryption and ack included. The simulator is a process of its own.
 */
export async function benchLinked(messages: number, rounds: number): Promise<boolean> {
  const ground = await openGround();
  const simulators = await startSimulators({ port: 0 });
  const { kernel, leases } = ground;
  const { socketUrl, rootKey } = simulators.whatsapp;
  const adapter = createLinkedAdapter({ socketUrl, rootKey, sandbox: true, paced: false, log: kernel.log });
  declareKind(adapter.kind, adapter.capabilities);
  const channels = createChannels(kernel, { leases, adapters: [adapter] });
  const ports = createMessages(kernel, channels);
  channels.plug({ sink: ports.inboundSink, payloads: ports.outboundPayloads });
  try {
    printMachine(ground.name);
    console.log(`linked     ${messages} messages per round, ${rounds} rounds, ${IN_FLIGHT} in flight`);
    await channels.start();
    const scope = await benchWorkspace(kernel);
    const channelId = await pairNumber(channels, simulators, scope, OURS);
    let counted = 0;
    let since = Date.now();
    const arrived = async (count: number) => {
      while (counted + (await arrivedSince(simulators, since)) < count) await pause(100);
    };
    const way: Way = { kernel, leases, scope, channelId, channels, phone: THEIRS, arrived };
    const meter = await createMeter(kernel);
    const phases: Phase[] = [];
    const bare = new Set<string>();
    let sent = 0;
    for (let round = 0; round <= rounds; round++) {
      const limit = await bareLoop(driven(way), meter, messages, bare);
      since = Date.now();
      const ours = await sendRound(way, meter, messages, sent);
      sent += messages;
      counted = sent;
      if (round > 0) phases.push(limit, ...ours);
    }
    report(phases);
    return await isExact(way, simulators, sent, bare);
  } finally {
    await channels.stop();
    await simulators.stop();
    await ground.close();
  }
}

function driven({ channels, channelId }: Way): Driven {
  const found = channels.drivenById(channelId);
  if (!found) throw new Error('The number is not connected any more.');
  return found;
}

async function bareLoop(
  { adapter, connection }: Driven,
  meter: Meter,
  messages: number,
  bare: Set<string>,
): Promise<Phase> {
  const to = adapter.address({ kind: 'phone', phone: THEIRS });
  let left = messages;
  const worker = async () => {
    while (left-- > 0) {
      const wire = { providerId: adapter.newProviderId(), to, payload: adapter.encode(content) };
      bare.add(wire.providerId);
      const { outcome } = await connection.send(wire, new Date(Date.now() + DEADLINE_MS));
      if (outcome !== 'accepted') throw new Error(`The simulator answered ${outcome}.`);
    }
  };
  return measured('bare loop over the socket (the limit)', meter, messages, async () => {
    await Promise.all(Array.from({ length: IN_FLIGHT }, worker));
  });
}

type Entry = { id: string; copies: number };

async function ledgerOf({ whatsapp }: Simulators, since = 0): Promise<Entry[]> {
  const response = await fetch(new URL(`/ledger?since=${since}`, whatsapp.url));
  return ((await response.json()) as { data: Entry[] }).data;
}

async function arrivedSince(simulators: Simulators, since: number): Promise<number> {
  return (await ledgerOf(simulators, since)).length;
}

function pause(ms: number): Promise<void> {
  return new Promise(resolve => setTimeout(resolve, ms));
}

async function isExact(way: Way, simulators: Simulators, sent: number, bare: Set<string>): Promise<boolean> {
  const entries = await ledgerOf(simulators);
  const ours = entries.filter(({ id }) => !bare.has(id));
  const once = ours.filter(({ copies }) => copies === 1).length;
  const { accepted, due } = await recorded(way);
  const exact = ours.length === sent && once === sent && accepted === sent && due === 0;
  const counts = `${ours.length} arrived, ${once} of them once, ${accepted} recorded, ${due} left`;
  console.log(`counts     ${counts}${exact ? '' : `  <- must be ${sent}, ${sent}, ${sent}, 0`}`);
  return exact;
}

function report(phases: Phase[]): void {
  const names = [...new Set(phases.map(phase => phase.name))];
  const limit = median(phases.filter(({ name }) => name === names[0]).map(p => p.messages / p.seconds));
  printTable(
    names.map(name => {
      const mine = phases.filter(phase => phase.name === name);
      const rate = median(mine.map(phase => phase.messages / phase.seconds));
      return {
        'medians of the rounds': name,
        'messages/s': Math.round(rate),
        'rate / limit': (rate / limit).toFixed(2),
        'node µs': median(mine.map(phase => phase.cpu.node / phase.messages)).toFixed(0),
        'database µs': median(mine.map(phase => (phase.cpu.database ?? 0) / phase.messages)).toFixed(0),
      };
    }),
  );
}
