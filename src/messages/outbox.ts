import type { Channels, Driven } from '../channels/index.ts';
import {
  CommitUnknown,
  createDueWorker,
  type DueItem,
  type DueRows,
  type DueWorker,
  isUnreachable,
  type Kernel,
  outsideTransaction,
} from '../kernel/index.ts';
import { type BeginOptions, type Begun, begin, type Picked } from './begin.ts';
import type { Books } from './book/index.ts';
import { ANY_TIME, Doubts } from './doubts.ts';
import { channelOfLane, DELIVERY, RESEND_MS } from './due-kinds.ts';
import { Flights } from './flights.ts';
import { untilInstant } from './instant.ts';
import { type LaneParts, Lanes, READY } from './lanes.ts';
import { recover } from './recover.ts';
import type { Settling } from './settle.ts';

export type OutboxOptions = {
  /** How long the provider may take to answer. */
  deadlineMs?: number;
  /** How old a message may be at most when it is sent again under its own id. */
  resendMs?: number;
  /** Most attempts of one channel on the wire at the same time. */
  inFlight?: { socket: number; http: number };
};

export type OutboxParts = {
  kernel: Kernel;
  channels: Channels;
  books: Books;
  due: DueRows;
  settling: Settling;
  parked: LaneParts['parked'];
  pace: LaneParts['pace'];
};

export type Outbox = {
  start(): void;
  /** Begins nothing more, waits for what is on the wire (20 s at most), gives back the rest. */
  stop(): Promise<void>;
};

const DEADLINE_MS = 60_000;
const IN_FLIGHT = { socket: 8, http: 256 };
const BEGIN_BATCH = 500;
/** An attempt is committed this much ahead, so that at the instant itself only the wire is left. */
const LEAD_MS = 20;
const RETRY_MS = 1_000;
/** What cannot be begun although the database is there may be cured by an update of the program, not by haste. */
const RETRY_POISON_MS = 60_000;

/**
 * Hands due deliveries of the channels that this node drives to their connections: claimed ahead by
 * the due worker, begun in batches as places on the wire get free, sent at the instant, settled in batches.
 */
export function createOutbox(parts: OutboxParts, options: OutboxOptions = {}): Outbox {
  return new Engine(parts, options);
}

class Engine implements Outbox {
  readonly #kernel: Kernel;
  readonly #channels: Channels;
  readonly #books: Books;
  readonly #due: DueRows;
  readonly #parked: OutboxParts['parked'];
  readonly #pace: OutboxParts['pace'];
  readonly #beginOptions: BeginOptions;
  readonly #lanes: Lanes;
  readonly #flights: Flights;
  readonly #drawing = new Set<Begun[]>();
  /** By channel; they outlive the lane, as an answer may be stored long after its channel went elsewhere. */
  readonly #doubts = new Map<string, Doubts>();
  readonly #recovering = new Set<Promise<void>>();
  readonly #workers: DueWorker[];
  #beginning: Promise<void> | undefined;
  #unsubscribe: (() => void)[] = [];
  #running = false;

  constructor(parts: OutboxParts, options: OutboxOptions) {
    const { kernel, channels, books, due, settling, parked, pace } = parts;
    this.#kernel = kernel;
    this.#channels = channels;
    this.#books = books;
    this.#due = due;
    this.#parked = parked;
    this.#pace = pace;
    this.#flights = new Flights(kernel, settling);
    this.#beginOptions = {
      now: () => kernel.clock.now(),
      deadlineMs: options.deadlineMs ?? DEADLINE_MS,
      resendMs: options.resendMs ?? RESEND_MS,
    };
    this.#lanes = new Lanes({ channels, parked, pace, places: options.inFlight ?? IN_FLIGHT });
    const worker = (perLane: number, lanes: () => string[]) =>
      createDueWorker(
        kernel,
        {
          kind: DELIVERY,
          lanes: () => this.#look(lanes),
          perLane,
          leadMs: LEAD_MS,
          fire: items => this.#take(items),
        },
        due,
      );
    this.#workers = [
      worker(READY.usual, () => this.#lanes.withRoom()),
      worker(READY.paced, () => this.#lanes.pacedWithRoom()),
    ];
  }

  start(): void {
    this.#running = true;
    this.#unsubscribe = [
      this.#channels.onChange(() => this.#onChange()),
      this.#channels.onCaughtUp(() => this.#onCaughtUp()),
      this.#parked.onChange(() => this.#onParking()),
      this.#pace.onOpen(() => this.#onOpen()),
    ];
    for (const worker of this.#workers) worker.start();
    this.#onChange();
  }

  async stop(): Promise<void> {
    this.#running = false;
    for (const unsubscribe of this.#unsubscribe) unsubscribe();
    await Promise.all(this.#workers.map(worker => worker.stop()));
    await this.#beginning;
    await this.#letGo(this.#lanes.drain());
    await Promise.allSettled(this.#recovering);
    await this.#flights.stop();
  }

  /** Asked for at least once a second: a lease that was in doubt for a moment tells nobody that it is not any more. */
  #look(lanes: () => string[]): string[] {
    if (this.#lanes.isPickable()) this.#pump();
    return lanes();
  }

  #doubtsOf(channelId: string): Doubts {
    const known = this.#doubts.get(channelId);
    if (known) return known;
    const doubts = new Doubts(this.#kernel.clock);
    this.#doubts.set(channelId, doubts);
    return doubts;
  }

  async #take(items: DueItem[]): Promise<void> {
    await this.#ripen(items);
    this.#lanes.add(items);
    await this.#release();
    this.#pump();
  }

  /**
   * Where the provider names the message, nothing is committed ahead of its instant: a crash before the wire would
   * leave it unknown for good.
   */
  async #ripen(items: DueItem[]): Promise<void> {
    const theirs = items.filter(
      ({ lane }) =>
        this.#channels.drivenById(channelOfLane(lane))?.adapter.capabilities.providerId === 'theirs',
    );
    const last = Math.max(...theirs.map(({ dueAt }) => dueAt.getTime()));
    if (theirs.length > 0) await untilInstant(this.#kernel.clock, new Date(last));
  }

  #onCaughtUp(): void {
    for (const driven of this.#channels.driven())
      if (driven.caughtUp()) this.#doubtsOf(driven.channelId).caughtUp(driven.opening());
    this.#recoverWhereDue();
  }

  #onChange(): void {
    this.#onCaughtUp();
    for (const [id, doubts] of this.#doubts)
      if (doubts.isEmpty && !this.#channels.drivenById(id)) this.#doubts.delete(id);
    this.#onPlaces();
  }

  /** What was not sent again because it was parked may be now. */
  #onParking(): void {
    for (const driven of this.#channels.driven())
      if (!this.#parked.holds(driven)) this.#doubtsOf(driven.channelId).askAgain();
    this.#recoverWhereDue();
    this.#onPlaces();
  }

  #onPlaces(): void {
    void outsideTransaction(() => this.#letGo(this.#lanes.release()));
    this.#onOpen();
  }

  #onOpen(): void {
    this.#poke();
    this.#pump();
  }

  #poke(): void {
    for (const worker of this.#workers) worker.poke();
  }

  /** Whoever drives the channel next need not wait until our claims expire; what is parked is for nobody. */
  async #release(): Promise<void> {
    await this.#giveBack(this.#lanes.release(), 0);
  }

  #pump(): void {
    if (!this.#running || this.#beginning) return;
    this.#beginning = outsideTransaction(() => this.#beginAll()).finally(() => {
      this.#beginning = undefined;
      if (this.#running && this.#lanes.isPickable()) this.#pump();
    });
  }

  async #beginAll(): Promise<void> {
    for (let picked = this.#pick(); picked.length > 0; picked = this.#pick()) {
      const begun = await this.#begin(picked);
      const started = new Set(begun.map(attempt => attempt.deliveryId));
      // Each start keeps one place: an item claimed again while it waited is picked twice and begun once.
      for (const { item } of picked)
        if (!started.delete(item.subjectId)) this.#lanes.landed(channelOfLane(item.lane));
      if (this.#lanes.withRoom().length + this.#lanes.pacedWithRoom().length > 0) this.#poke();
    }
  }

  async #begin(picked: Picked[]): Promise<Begun[]> {
    let astray: DueItem[] = [];
    try {
      const begun = await this.#draw(async drawn => {
        astray = await begin(this.#books, picked, drawn, this.#beginOptions);
      });
      await this.#letGo(astray);
      return begun;
    } catch (error) {
      const { log } = this.#kernel;
      const ofLink = isOfLink(error);
      if (picked.length > 1 && !ofLink) return this.#beginInHalves(picked);
      log.error({ event: 'messages.begin', items: picked.length, err: error }, 'not begun');
      const items = picked.map(({ item }) => item);
      if (ofLink) await this.#keepForLater(items);
      else await this.#giveBack(items, RETRY_POISON_MS).catch(() => undefined);
      return [];
    }
  }

  /** The database is away, so claims could not be given back either; they are still ours when it returns. */
  async #keepForLater(items: DueItem[]): Promise<void> {
    await new Promise<void>(resolve => this.#kernel.clock.after(RETRY_MS, resolve));
    this.#lanes.add(items);
  }

  /**
   * Launches what `work` has drawn and committed. When it fails, the commit may have happened all the same, so what
   * it drew is taken back. Until either is done the attempts count as ours.
   */
  async #draw(work: (drawn: Begun[]) => Promise<void>): Promise<Begun[]> {
    const drawn: Begun[] = [];
    this.#drawing.add(drawn);
    try {
      await work(drawn);
    } catch (error) {
      void this.#takeBack(drawn);
      throw error;
    }
    for (const attempt of drawn) this.#launch(attempt);
    this.#drawing.delete(drawn);
    return drawn;
  }

  async #takeBack(drawn: Begun[]): Promise<void> {
    const open = await this.#flights.takeBack(drawn);
    this.#drawing.delete(drawn);
    for (const attempt of open) this.#doubtsOf(attempt.channelId).remember(attempt.attemptId, ANY_TIME);
    if (open.length > 0) this.#recoverWhereDue();
  }

  #isDrawn(attemptId: string): boolean {
    return [...this.#drawing].some(drawn => drawn.some(attempt => attempt.attemptId === attemptId));
  }

  /** One delivery that cannot be begun must not hold up the others. */
  async #beginInHalves(picked: Picked[]): Promise<Begun[]> {
    const half = picked.length >> 1;
    return [...(await this.#begin(picked.slice(0, half))), ...(await this.#begin(picked.slice(half)))];
  }

  #recoverWhereDue(): void {
    if (!this.#running) return;
    for (const driven of this.#channels.driven()) {
      if (!driven.caughtUp()) continue;
      const doubts = this.#doubtsOf(driven.channelId);
      doubts.clearUp(
        () => outsideTransaction(() => this.#recoverOnce(driven, doubts)),
        () => this.#recoverWhereDue(),
        error =>
          this.#kernel.log.warn({ event: 'messages.recover', channel_id: driven.channelId, err: error }),
      );
    }
  }

  async #recoverOnce(driven: Driven, doubts: Doubts): Promise<void> {
    if (!this.#running) return;
    const recovering = this.#recover(driven, doubts);
    this.#recovering.add(recovering);
    await recovering.finally(() => this.#recovering.delete(recovering));
  }

  async #recover(driven: Driven, doubts: Doubts): Promise<void> {
    const begun = await this.#draw(drawn =>
      recover(this.#books, driven, drawn, {
        ...this.#beginOptions,
        awaits: attemptId => doubts.awaits(attemptId) || this.#isDrawn(attemptId),
      }),
    );
    this.#lanes.launched(driven.channelId, begun.length);
  }

  #pick(): Picked[] {
    return this.#running ? this.#lanes.pick(BEGIN_BATCH) : [];
  }

  #launch(attempt: Begun): void {
    this.#flights.launch(attempt, this.#doubtsOf(attempt.channelId), {
      landed: () => {
        this.#lanes.landed(attempt.channelId);
        this.#pump();
      },
      open: () => this.#recoverWhereDue(),
    });
  }

  async #letGo(items: DueItem[]): Promise<void> {
    await this.#giveBack(items, 0).catch(error =>
      this.#kernel.log.warn({ event: 'messages.release', err: error }, 'claims fall free by themselves'),
    );
  }

  async #giveBack(items: DueItem[], delayMs: number): Promise<void> {
    if (items.length > 0) await this.#due.giveBack(this.#kernel.node.bootId, items, delayMs);
  }
}

/** Whether a transaction failed on its way to the database, and not for what it was to do. */
function isOfLink(error: unknown): boolean {
  return error instanceof CommitUnknown || isUnreachable(error);
}
