import { type LeaseTimes, leaseTimesOf } from './config.ts';
import { outsideTransaction, type Tx } from './database/database.ts';
import { groupCommit } from './group-commit.ts';
import type { Kernel } from './kernel.ts';
import { type LeaseRow, type LeaseRows, proveRows, sqlLeaseRows } from './lease-rows.ts';

/** The right to drive something, held by one process at a time. */
export type Lease = {
  readonly name: string;
  /** Grows with every new holder; goes into what the holder writes. */
  readonly fence: number;
  /** Whether acting is still safe, by a local deadline that ends before the database's. Asked right before acting. */
  held(): boolean;
  /** Aborts once the lease is lost or given back: stop at once. */
  readonly lost: AbortSignal;
  /** Gives it back; who waits for it is woken. Rejects when the database cannot be told: then it expires there. */
  release(): Promise<void>;
};

export type Leases = {
  readonly times: LeaseTimes;
  /** Undefined when somebody else holds it, or held it until a moment ago. */
  acquire(name: string): Promise<Lease | undefined>;
  /** Since when this node cannot renew what it holds; undefined while it can. */
  trouble(): { since: Date; reason: string } | undefined;
  /** Gives everything back and renews no more. */
  stop(): Promise<void>;
};

/** Somebody else holds the lease by now, or may: what was to be written is not valid any more. */
export class LeaseLost extends Error {
  constructor(name: string) {
    super(`The lease ${name} is no longer ours.`);
    this.name = 'LeaseLost';
  }
}

type Parts = Pick<Kernel, 'clock' | 'config' | 'log' | 'node'>;

/** Until when by both clocks: the steady one stands still while a machine sleeps, the other may jump. */
type Deadline = { steady: number; wall: number };

/** Of the time that a renewal may take, what is left for the next try. */
const SHARE_OF_MARGIN = 0.8;
const AGAIN_MS = 1_000;
const RELEASE_MS = 5_000;

/** What only this file knows of a lease. */
const insides = new WeakMap<Lease, HeldLease>();

/**
 * Leases by the database's clock alone: a lease is taken over only after its expiry there and a grace, with fence + 1.
 * The holder counts from before each renewal was sent, so it stops earlier, whatever the clocks say. All leases of a
 * node are renewed by one statement on a connection of its own, which also shows that the node is alive.
 */
export function createLeases(
  kernel: Parts & Pick<Kernel, 'database'>,
  options: Partial<LeaseTimes> = {},
  rows: LeaseRows = sqlLeaseRows(kernel.database),
): Leases {
  return new Holder(kernel, { ...leaseTimesOf(kernel.config), ...options }, rows);
}

/**
 * Proves inside an engine transaction that the lease is still ours, and keeps it so until the commit.
 * Otherwise the lease is over here as well, and LeaseLost rolls the transaction back.
 */
export async function assertFence(tx: Tx, lease: Lease): Promise<void> {
  if (!(await stillHeld(tx, [lease])).has(lease)) throw new LeaseLost(lease.name);
}

/**
 * Those of the leases that are still ours, proved like `assertFence` and kept so until the commit. Those that are
 * not are over here as well.
 */
export async function stillHeld(tx: Tx, leases: Lease[]): Promise<Set<Lease>> {
  const rows = await proveRows(tx, leases);
  return new Set(
    leases.filter(lease => {
      const own = insides.get(lease);
      const row = rows.get(lease.name);
      if (lease.held() && row?.fence === lease.fence && row.holder === own?.holder) return true;
      own?.drop();
      return false;
    }),
  );
}

class HeldLease {
  readonly row: LeaseRow;
  readonly holder: string;
  readonly lease: Lease;
  readonly #end = new AbortController();
  readonly #holder: Holder;
  #deadline: Deadline;

  constructor(
    row: LeaseRow,
    deadline: Deadline,
    holder: Holder,
    release: (held: HeldLease) => Promise<void>,
  ) {
    this.row = row;
    this.holder = holder.bootId;
    this.#holder = holder;
    this.#deadline = deadline;
    this.lease = {
      ...row,
      lost: this.#end.signal,
      held: () => this.held(),
      release: () => release(this),
    };
    insides.set(this.lease, this);
  }

  get endsAt(): number {
    return this.#deadline.steady;
  }

  extend(deadline: Deadline): void {
    this.#deadline = deadline;
  }

  /** Whoever finds that the time is over ends the lease in the same moment. */
  held(): boolean {
    if (this.#end.signal.aborted) return false;
    const { steady, wall } = this.#deadline;
    const { clock } = this.#holder;
    if (clock.monotonic() < steady && clock.now().getTime() < wall) return true;
    this.drop();
    this.#holder.tellLapse(this.row);
    return false;
  }

  drop(): void {
    this.#holder.forget(this);
    this.#end.abort();
  }
}

/** All leases of this process. */
class Holder implements Leases {
  readonly times: LeaseTimes;
  readonly #kernel: Parts;
  readonly #rows: LeaseRows;
  readonly #held = new Map<string, HeldLease>();
  /** Names of which the row may say that we hold the lease although we do not: an answer was lost. */
  readonly #unsure = new Set<string>();
  readonly #releases = groupCommit<LeaseRow, undefined>(rows => this.#free(rows), { max: 500 });
  #tickNoMore = () => {};
  #renewing: Promise<void> | undefined;
  #renewAt: number;
  #trouble: { since: Date; reason: string } | undefined;
  #stopped = false;

  constructor(kernel: Parts, times: LeaseTimes, rows: LeaseRows) {
    this.#kernel = kernel;
    this.#rows = rows;
    this.times = times;
    this.#renewAt = kernel.clock.monotonic() + times.renewMs;
    this.#arm();
  }

  get bootId(): string {
    return this.#kernel.node.bootId;
  }

  get clock(): Kernel['clock'] {
    return this.#kernel.clock;
  }

  forget(held: HeldLease): void {
    if (this.#held.get(held.row.name) === held) this.#held.delete(held.row.name);
  }

  tellLapse(row: LeaseRow): void {
    const event = { event: 'leases.lapsed', name: row.name, fence: row.fence };
    this.#kernel.log.warn(event, 'a lease could not be renewed in time: what it drives is closed');
  }

  async acquire(name: string): Promise<Lease | undefined> {
    if (this.#stopped || this.#held.has(name)) return undefined;
    const deadline = this.#deadlineFromNow();
    const fence = await outsideTransaction(() => this.#take(name));
    if (fence === undefined) return undefined;
    const held = new HeldLease({ name, fence }, deadline, this, one => this.#release(one));
    if (this.#stopped || !held.held()) {
      await held.lease.release();
      return undefined;
    }
    this.#held.set(name, held);
    this.#arm();
    return held.lease;
  }

  trouble(): { since: Date; reason: string } | undefined {
    return this.#trouble;
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#tickNoMore();
    const all = [...this.#held.values()];
    for (const held of all) held.drop();
    await Promise.all(all.map(({ row }) => this.#releases.add(row)));
    await this.#renewing;
  }

  async #take(name: string): Promise<number | undefined> {
    const { ttlMs, graceMs } = this.times;
    const again = this.#unsure.has(name);
    this.#unsure.add(name);
    const fence = await this.#rows.take({ name, holder: this.bootId, ttlMs, graceMs, again });
    // A row that was only busy still says that we hold it.
    if (fence !== undefined || !again) this.#unsure.delete(name);
    return fence;
  }

  async #release(held: HeldLease): Promise<void> {
    held.drop();
    try {
      await this.#releases.add(held.row);
    } catch (error) {
      this.#unsure.add(held.row.name);
      throw error;
    }
  }

  async #free(rows: LeaseRow[]): Promise<undefined[]> {
    await this.#rows.free(this.bootId, rows, RELEASE_MS);
    return rows.map(() => undefined);
  }

  /** The next moment at which something has to be done: a renewal, or the end of a lease that could not be renewed. */
  #arm(): void {
    this.#tickNoMore();
    if (this.#stopped) return;
    const ends = [...this.#held.values()].map(held => held.endsAt);
    const next = Math.min(this.#renewing ? Number.POSITIVE_INFINITY : this.#renewAt, ...ends);
    if (next === Number.POSITIVE_INFINITY) return;
    const wait = Math.max(0, next - this.clock.monotonic());
    this.#tickNoMore = outsideTransaction(() => this.clock.after(wait, () => this.#tick()));
  }

  #tick(): void {
    for (const held of [...this.#held.values()]) held.held();
    if (!this.#renewing && this.clock.monotonic() >= this.#renewAt) {
      this.#renewing = this.#renew().finally(() => {
        this.#renewing = undefined;
        this.#arm();
      });
    }
    this.#arm();
  }

  async #renew(): Promise<void> {
    const { ttlMs, renewMs, marginMs } = this.times;
    const all = [...this.#held.values()];
    const deadline = this.#deadlineFromNow();
    const againAt = () => this.clock.monotonic() + Math.min(AGAIN_MS, renewMs / 5);
    try {
      const renewals = await this.#rows.renew({
        holder: this.bootId,
        leases: all.map(({ row }) => row),
        ttlMs,
        withinMs: Math.min(marginMs, renewMs) * SHARE_OF_MARGIN,
      });
      for (const held of all) {
        const renewal = renewals.get(held.row.name);
        if (renewal === 'renewed') held.extend(deadline);
        else if (renewal !== 'kept') held.drop();
      }
      this.#trouble = undefined;
      const late = [...renewals.values()].includes('kept');
      this.#renewAt = late ? againAt() : deadline.steady - this.#lastsMs() + renewMs;
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      this.#trouble = { since: this.#trouble?.since ?? this.clock.now(), reason };
      this.#renewAt = againAt();
      this.#kernel.log.warn({ event: 'leases.renew', err: error }, 'leases were not renewed, trying again');
    }
  }

  /** Read before the database is asked: its own count begins later. */
  #deadlineFromNow(): Deadline {
    const lasts = this.#lastsMs();
    return { steady: this.clock.monotonic() + lasts, wall: this.clock.now().getTime() + lasts };
  }

  #lastsMs(): number {
    return this.times.ttlMs - this.times.marginMs;
  }
}
