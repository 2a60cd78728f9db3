import { CommitUnknown, outsideTransaction } from './database/database.ts';
import type { Claim, Claimed, Lanes } from './due-claim.ts';
import { type DueRows, sqlDueRows } from './due-rows.ts';
import type { DueItem } from './due-work.ts';
import { Heap } from './heap.ts';
import type { Kernel } from './kernel.ts';

export type DueWorkerOptions = {
  kind: string;
  /** `all`, or the lanes that this node alone may serve and has room for at the moment; asked at each claim. */
  lanes: 'all' | (() => string[]);
  /** How long before its instant an item is claimed into memory. */
  aheadMs?: number;
  /** Most items of one claim and of one `fire`. */
  batch?: number;
  /**
   * Most items of one lane in one claim, where `lanes` is a function; a lane of which so many wait for their instant
   * claims no more, and takes no room from the others.
   */
  perLane?: number;
  /** How long after its instant a claim that was not used falls free. */
  leaseMs?: number;
  /** How many `fire` may run at the same time. */
  concurrency?: number;
  /** Whose clock says that an instant has come; the database's for what judges other nodes. */
  by?: 'node' | 'database';
  /** How long before its instant `fire` gets an item, to prepare it; the caller then waits for the instant. */
  leadMs?: number;
  /**
   * Called at the instant, never before (but see `leadMs`), with items in order of instant, then priority. Must call
   * `takeDue` in the transaction of what it does. When it rejects, what was not taken comes again.
   */
  fire: (items: DueItem[]) => Promise<void>;
};

export type DueWorker = {
  start(): void;
  /** Waits for what is firing and gives back what has not fired. */
  stop(): Promise<void>;
  /** Looks at once, for instance because a lane has room again. */
  poke(): void;
};

type Parts = Pick<Kernel, 'clock' | 'random' | 'log' | 'node' | 'wake'>;

const POLL_MS = 1_000;
const LANES_FRESH_MS = 1_000;
const RETRY_MS = 1_000;
const SKEW_WORTH_A_WARNING_MS = 1_000;
const LONGEST_TIMER_MS = 60_000;

/**
 * Fires due work at its instant: claims it a little ahead under a lease, keeps it in memory, and fires
 * from there with one timer. Woken by `due:<kind>`, it also looks once a second by itself.
 *
 * Two clocks: claims and their expiry go by the database's `now()`, the instant itself by the clock of
 * this node. Each claim measures how far the two differ and looks that much further (or less far)
 * ahead, so a node whose clock is wrong is wrong by its own error, and never late on top of it.
 */
export function createDueWorker(
  kernel: Parts & Pick<Kernel, 'database'>,
  options: DueWorkerOptions,
  rows: DueRows = sqlDueRows(kernel.database),
): DueWorker {
  return new Worker(kernel, rows, options);
}

class Worker implements DueWorker {
  readonly #kernel: Parts;
  readonly #rows: DueRows;
  readonly #options: Required<DueWorkerOptions>;
  readonly #pollMs: number;
  readonly #heap = new Heap<DueItem>(isBefore);
  readonly #firing = new Set<Promise<void>>();
  /** How many wait for their instant or fire, in all and by lane. */
  #held = 0;
  readonly #heldOf = new Map<string, number>();
  #claiming: Promise<void> | undefined;
  #again = false;
  /** Something may be claimed by us that we do not know of: the answer to a claim was lost. */
  #unsure = false;
  #flood = false;
  #lanes: { names: string[]; at: number } = { names: [], at: Number.NEGATIVE_INFINITY };
  #skewMs = 0;
  #warnedAt = Number.NEGATIVE_INFINITY;
  #pollNoMore = () => {};
  #fireNoMore = () => {};
  #unsubscribe: (() => void) | undefined;
  #running = false;

  constructor(kernel: Parts, rows: DueRows, options: DueWorkerOptions) {
    this.#kernel = kernel;
    this.#rows = rows;
    this.#options = {
      aheadMs: 1_500,
      batch: 500,
      perLane: options.batch ?? 500,
      leaseMs: 30_000,
      concurrency: 4,
      leadMs: 0,
      by: 'node',
      ...options,
    };
    this.#pollMs = Math.min(POLL_MS, Math.max(20, (this.#options.aheadMs * 2) / 3));
  }

  start(): void {
    this.#running = true;
    this.#unsubscribe = this.#kernel.wake.on(`due:${this.#options.kind}`, () => this.poke());
    this.poke();
  }

  poke(): void {
    if (!this.#running) return;
    if (this.#claiming) this.#again = true;
    else this.#claiming = outsideTransaction(() => this.#claimAll());
  }

  async stop(): Promise<void> {
    this.#running = false;
    this.#unsubscribe?.();
    this.#pollNoMore();
    this.#fireNoMore();
    await this.#claiming;
    await Promise.all(this.#firing);
    await this.#giveBack(this.#heap.drain(), 0);
  }

  async #claimAll(): Promise<void> {
    this.#pollNoMore();
    try {
      do this.#again = false;
      while (this.#running && ((await this.#claimOnce()) || this.#again));
    } catch (error) {
      if (error instanceof CommitUnknown) this.#unsure = true;
      this.#kernel.log.warn({ event: 'due.claim', kind: this.#options.kind, err: error }, 'claim failed');
    }
    this.#claiming = undefined;
    if (this.#running) this.#pollNoMore = this.#kernel.clock.after(this.#pollMs, () => this.poke());
  }

  /** Answers whether there may be more to claim at once. */
  async #claimOnce(): Promise<boolean> {
    const { batch, kind, aheadMs, leaseMs, lanes } = this.#options;
    const limit = lanes === 'all' ? Math.min(batch, 4 * batch - this.#held) : batch;
    if (limit <= 0) return false;
    const bootId = this.#kernel.node.bootId;
    if (this.#unsure) await this.#rows.giveBackAll(bootId, kind);
    this.#unsure = false;
    const claim: Claim = { kind, bootId, limit, leaseMs, aheadMs: aheadMs + this.#ownSkewMs };
    const before = this.#nodeNow();
    const { items, databaseNow, more } = await this.#chooseAndClaim(claim);
    if (databaseNow > 0) this.#measureSkew(before - databaseNow, this.#nodeNow() + 1 - databaseNow);
    this.#count(items, 1);
    for (const item of items) this.#heap.push(item);
    this.#pump();
    return more;
  }

  async #chooseAndClaim(claim: Claim): Promise<Claimed & { more: boolean }> {
    const { lanes } = this.#options;
    if (lanes !== 'all') {
      const { perLane } = this.#options;
      const open = lanes().filter(lane => !this.#isFull(lane));
      return this.#claimLanes(claim, { names: open, perLane, owned: true });
    }
    if (this.#flood) {
      await this.#refreshLanes(claim);
      this.#flood = false;
      const { names } = this.#lanes;
      const perLane = Math.ceil(claim.limit / names.length);
      if (names.length > 1) return this.#claimLanes(claim, { names, perLane, owned: false });
    }
    const claimed = await this.#rows.claimInOrder(claim);
    this.#flood = claimed.items.length === claim.limit;
    return { ...claimed, more: this.#flood };
  }

  async #claimLanes(claim: Claim, lanes: Lanes): Promise<Claimed & { more: boolean }> {
    const { names, perLane } = lanes;
    if (names.length === 0) return { items: [], databaseNow: 0, more: false };
    const claimed = await this.#rows.claimByLane(claim, {
      ...lanes,
      names: shuffled(names, this.#kernel.random),
    });
    return { ...claimed, more: claimed.items.length >= Math.min(perLane, claim.limit) };
  }

  /** More is ready than one claim takes: only then is it worth asking who is in the crowd. */
  async #refreshLanes(claim: Claim): Promise<void> {
    const now = this.#kernel.clock.monotonic();
    if (now - this.#lanes.at < LANES_FRESH_MS) return;
    this.#lanes = { names: await this.#rows.readyLanes(claim), at: now };
  }

  #pump(): void {
    this.#fireNoMore();
    if (!this.#running) return;
    while (this.#firing.size < this.#options.concurrency) {
      const due = this.#popDue();
      if (due.length === 0) break;
      this.#fire(due);
    }
    const next = this.#heap.peek();
    if (!next || this.#firing.size >= this.#options.concurrency) return;
    const wait = next.dueAt.getTime() - this.#options.leadMs - this.#now();
    // Node's timers fire up to 1 ms early, so the last moment is waited for turn by turn.
    const { clock } = this.#kernel;
    this.#fireNoMore =
      wait <= 1
        ? clock.soon(() => this.#pump())
        : clock.after(Math.min(wait - 1, LONGEST_TIMER_MS), () => this.#pump());
  }

  #popDue(): DueItem[] {
    const now = this.#now() + this.#options.leadMs;
    const due: DueItem[] = [];
    while (due.length < this.#options.batch) {
      const next = this.#heap.peek();
      if (!next || next.dueAt.getTime() > now) break;
      this.#heap.pop();
      due.push(next);
    }
    return due;
  }

  #fire(items: DueItem[]): void {
    const fired = outsideTransaction(() => this.#options.fire(items))
      .catch(async error => {
        const { kind } = this.#options;
        this.#kernel.log.error({ event: 'due.fire', kind, items: items.length, err: error }, 'firing failed');
        await this.#giveBack(items, RETRY_MS);
      })
      .finally(() => {
        this.#firing.delete(fired);
        const wasFull = items.some(({ lane }) => this.#isFull(lane));
        this.#count(items, -1);
        this.#pump();
        if (wasFull) this.poke();
      });
    this.#firing.add(fired);
  }

  #count(items: DueItem[], by: 1 | -1): void {
    this.#held += by * items.length;
    for (const { lane } of items) {
      const held = (this.#heldOf.get(lane) ?? 0) + by;
      if (held === 0) this.#heldOf.delete(lane);
      else this.#heldOf.set(lane, held);
    }
  }

  /** Lanes that are given are bounded one by one, others as a whole. */
  #isFull(lane: string): boolean {
    const { lanes, batch, perLane } = this.#options;
    return lanes === 'all' ? this.#held >= 4 * batch : (this.#heldOf.get(lane) ?? 0) >= perLane;
  }

  /** A claim that cannot be given back falls free by itself. */
  async #giveBack(items: DueItem[], delayMs: number): Promise<void> {
    const { bootId } = this.#kernel.node;
    await this.#rows.giveBack(bootId, items, delayMs).catch(error => {
      const { kind } = this.#options;
      this.#kernel.log.warn({ event: 'due.give_back', kind, items: items.length, err: error }, 'claims kept');
    });
  }

  /** The difference lies between the two bounds; a difference that may be none counts as none. */
  #measureSkew(least: number, most: number): void {
    this.#skewMs = least > 0 ? least : Math.min(0, most);
    const now = this.#kernel.clock.monotonic();
    if (Math.abs(this.#skewMs) < SKEW_WORTH_A_WARNING_MS || now - this.#warnedAt < LONGEST_TIMER_MS) return;
    this.#warnedAt = now;
    this.#kernel.log.error(
      { event: 'due.skew', skew_ms: Math.round(this.#skewMs) },
      'The clock of this node and that of the database differ. Let both follow a time server (NTP).',
    );
  }

  /** How far the clock that this worker goes by is ahead of the database's, as far as is known. */
  get #ownSkewMs(): number {
    return this.#options.by === 'node' ? this.#skewMs : 0;
  }

  #now(): number {
    return this.#nodeNow() - this.#skewMs + this.#ownSkewMs;
  }

  #nodeNow(): number {
    return this.#kernel.clock.now().getTime();
  }
}

function isBefore(a: DueItem, b: DueItem): boolean {
  const difference = a.dueAt.getTime() - b.dueAt.getTime();
  return difference < 0 || (difference === 0 && a.priority > b.priority);
}

/** So that, of more lanes than one claim serves, each gets its turn. */
function shuffled(names: string[], random: () => number): string[] {
  const result = [...names];
  for (let i = result.length - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1));
    [result[i], result[j]] = [result[j] as string, result[i] as string];
  }
  return result;
}
