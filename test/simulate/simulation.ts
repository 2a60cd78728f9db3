import type { Books } from '../../src/messages/book/index.ts';
import type { OutboxOptions } from '../../src/messages/outbox.ts';
import { Checks } from './checks.ts';
import { type Faults, troubles } from './faults.ts';
import { HttpProvider } from './http.ts';
import { LinkedProvider } from './linked.ts';
import { type Channel, Node, OUTBOX, type Surroundings } from './node.ts';
import { People } from './people.ts';
import { type Arrival, adapterOf, HTTP, LINKED, Phones } from './provider.ts';
import { MemoryDatabase } from './tables.ts';
import { wishes } from './wishes.ts';
import { World } from './world.ts';

/** safety = faults to the end; liveness = they stop, and everything must come to an end within a bound. */
export type Mode = 'safety' | 'liveness';

export type SimulationOptions = {
  seed: number;
  mode: Mode;
  /** Machines that may drive; drawn from the seed when left out. */
  nodes?: number;
  kinds?: readonly Channel['kind'][];
  history?: boolean;
  bend?: (books: Books) => Books;
  options?: OutboxOptions;
};

export type Report = {
  seed: number;
  mode: Mode;
  /** As it was asked for. */
  nodes: number | undefined;
  violation: string | undefined;
  history: string;
  steps: number;
  messages: number;
  attempts: number;
  resent: number;
  unknown: number;
  crashes: number;
  pauses: number;
  arrivals: number;
};

const FAULTY_MS = 60_000;
/** Longer than any re-send, claim or decision of a policy may take once nothing fails any more. */
const SETTLED_WITHIN_MS = 25 * 60_000;

/** One run of the engine in a world that one seed decides. */
export async function simulate(options: SimulationOptions): Promise<Report> {
  const world = new World(options.seed, { history: options.history ?? false });
  const db = new MemoryDatabase(() => world.date());
  const ledger: Arrival[] = [];
  const members = (to: string) =>
    to.startsWith('group:') ? Array.from({ length: 3 }, (_, n) => `${to}/${n}`) : [to];
  const phones = new Phones(world, members);
  const linked = new LinkedProvider(world, phones, ledger);
  const http = new HttpProvider(world, phones, ledger);
  const channels = (options.kinds ?? ['linked', 'http']).map(channelOf);
  const people = new People(world, db);
  const checks = new Checks({ world, db, people, phones, ledger, channels });
  watchOver(checks, db, linked, http);
  const around: Surroundings = {
    world,
    db,
    linked,
    http,
    channels,
    bend: options.bend ?? (books => books),
    options: { ...OUTBOX, ...options.options },
  };
  const count = options.nodes ?? world.random.whole(1, 3);
  const nodes = Array.from({ length: count }, (_, n) => new Node(`node${n + 1}`, around));
  db.wake = topic => tellAll(world, nodes, topic);
  for (const node of nodes) world.after(world.random.between(0, 2_000), () => node.start());
  const faults = troubles({ world, nodes, linked, http, channels, mode: options.mode });
  wishes({ world, people, db, channels, forMs: FAULTY_MS });
  await run(world, checks, faults, options.mode);
  return {
    seed: options.seed,
    mode: options.mode,
    nodes: options.nodes,
    violation: world.violation?.message,
    history: world.history(),
    steps: world.steps,
    messages: people.accepted.length,
    attempts: checks.attempts,
    resent: checks.resent,
    unknown: checks.unknown,
    crashes: faults.crashes,
    pauses: faults.pauses,
    arrivals: ledger.length,
  };
}

async function run(world: World, checks: Checks, faults: Faults, mode: Mode): Promise<void> {
  await world.run(FAULTY_MS);
  if (mode === 'liveness') {
    faults.stop();
    await world.run(FAULTY_MS + SETTLED_WITHIN_MS, () => checks.isSettled);
    if (!world.violation) checks.endOfAll();
  }
  if (!world.violation) checks.end();
}

function channelOf(kind: Channel['kind']): Channel {
  const adapter = adapterOf(kind, kind === 'linked' ? LINKED : HTTP);
  return { id: kind, workspaceId: 'workspace', kind, adapter };
}

function watchOver(checks: Checks, db: MemoryDatabase, linked: LinkedProvider, http: HttpProvider): void {
  db.store.onCommit = (tx, writes) => checks.commit(tx, writes);
  for (const provider of [linked, http]) {
    provider.onSend = sent => checks.send(sent);
    provider.onWrite = written => checks.write(written);
    provider.onArrival = arrival => checks.arrive(arrival);
  }
  linked.onReplaced = (old, by) => checks.replaced(old, by);
}

/** A wake-up reaches each process in its own time, or not at all. */
function tellAll(world: World, nodes: readonly Node[], topic: string): void {
  for (const { process } of nodes) {
    if (!process || world.random.chance(0.1)) continue;
    world.after(world.random.between(0.2, 60), () => process.post(() => process.hear(topic)));
  }
}
