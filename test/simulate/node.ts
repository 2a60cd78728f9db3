import type { Adapter } from '../../src/channels/index.ts';
import { createLeases, type Leases, readConfig } from '../../src/kernel/index.ts';
import type { Books } from '../../src/messages/book/index.ts';
import {
  createOutbox,
  type Outbox,
  type OutboxOptions,
  type OutboxParts,
} from '../../src/messages/outbox.ts';
import { createReceiptIntake, type ReceiptIntake } from '../../src/messages/receipts.ts';
import { createSettling, type Settling } from '../../src/messages/settle.ts';
import { createWatch } from '../../src/messages/watch.ts';
import { Driver } from './driver.ts';
import type { HttpProvider } from './http.ts';
import { Link } from './link.ts';
import type { LinkedProvider } from './linked.ts';
import { memoryDueRows } from './memory-due.ts';
import { memoryLeaseRows } from './memory-leases.ts';
import { SimulatedParked } from './parked.ts';
import { type MachineClock, Process } from './process.ts';
import type { MemoryDatabase } from './tables.ts';
import type { World } from './world.ts';

/** Shorter than in production, so that a minute holds many of them. */
export const LEASE_TIMES = { ttlMs: 6_000, renewMs: 2_000, marginMs: 1_500, graceMs: 1_000 };
export const OUTBOX: OutboxOptions = {
  deadlineMs: 4_000,
  resendMs: 30_000,
  inFlight: { socket: 4, http: 8 },
};

const CONFIG = readConfig({ CONVOKE_DATA_DIR: '/nowhere' });

/** Pacing is proved by itself: here every channel sends as fast as it can. */
const UNPACED: OutboxParts['pace'] = {
  isPaced: () => false,
  offer: () => ({ most: Number.POSITIVE_INFINITY, usual: true, newPeople: true }),
  onOpen: () => () => {},
};

export type Channel = { id: string; workspaceId: string; kind: 'linked' | 'http'; adapter: Adapter };

export type Surroundings = {
  world: World;
  db: MemoryDatabase;
  linked: LinkedProvider;
  http: HttpProvider;
  channels: readonly Channel[];
  /** Bends the books of a process, to see whether the checks notice. */
  bend: (books: Books) => Books;
  options: OutboxOptions;
};

/** What makes up one run of the program. */
type Program = {
  process: Process;
  leases: Leases;
  driver: Driver;
  outbox: Outbox;
  watch: { start(): void; stop(): Promise<void> };
  settling: Settling;
  receipts: ReceiptIntake;
};

/** A machine on which the program runs, dies, is stopped and started again. */
export class Node {
  readonly name: string;
  readonly link: Link;
  readonly machine: MachineClock = { wallMs: 0, steadyMs: 5_000, jumps: false };
  readonly #around: Surroundings;
  #program: Program | undefined;
  #boots = 0;
  isStopping = false;

  constructor(name: string, around: Surroundings) {
    this.name = name;
    this.#around = around;
    this.link = new Link(around.world, around.db, LEASE_TIMES.ttlMs / 2);
  }

  get process(): Process | undefined {
    return this.#program?.process;
  }

  get drives(): boolean {
    return this.#program?.driver.drivesAny ?? false;
  }

  start(): void {
    if (this.#program) return;
    const { world, db, channels, linked, http, bend, options } = this.#around;
    const process = new Process(world, this.name, `${this.name}.${++this.#boots}`, this.machine);
    world.note(process.bootId, () => 'starts');
    const kernel = { ...process.kernel(), config: CONFIG };
    const carry = this.link.carry(process);
    const leases = createLeases(
      { ...kernel, database: undefined as never },
      LEASE_TIMES,
      memoryLeaseRows(db, carry),
    );
    const driver = new Driver({ world, process, leases, channels, linked, http, carry, db });
    const books = bend(this.link.books(process, (driven, rows) => driver.prove(driven, rows)));
    const due = memoryDueRows(db, carry);
    const settling = createSettling(books, () => process.clock.now());
    const receipts = createReceiptIntake(books, () => {});
    const parked = new SimulatedParked(process, db, carry);
    parked.start();
    const outbox = createOutbox(
      { kernel, channels: driver, books, due, settling, parked, pace: UNPACED },
      options,
    );
    const watch = createWatch(kernel, books, due);
    this.#program = { process, leases, driver, outbox, watch, settling, receipts };
    driver.start({ books, settling, receipts });
    outbox.start();
    watch.start();
  }

  /** As by SIGTERM: one part after the other, then the process ends. */
  async stop(): Promise<void> {
    const program = this.#program;
    if (!program || this.isStopping) return;
    this.isStopping = true;
    this.#around.world.note(program.process.bootId, () => 'is asked to stop');
    await program.outbox.stop();
    await program.watch.stop();
    await program.receipts.idle();
    await program.driver.stop();
    await program.leases.stop().catch(() => undefined);
    if (this.#program === program) this.crash('has stopped');
  }

  crash(how = 'is killed'): void {
    const program = this.#program;
    if (!program) return;
    this.#around.world.note(program.process.bootId, () => how);
    this.#program = undefined;
    this.isStopping = false;
    program.process.kill();
    program.driver.die();
  }

  pause(): void {
    this.process?.pause();
    this.#around.world.note(this.name, () => 'is stopped in its tracks');
  }

  goOn(): void {
    if (!this.process?.isPaused) return;
    this.#around.world.note(this.name, () => 'goes on');
    this.process.goOn();
  }
}
