import type { Channels, Driven, SendOutcome } from '../channels/index.ts';
import {
  createDueWorker,
  type DueItem,
  type DueWorker,
  giveBackDue,
  type Kernel,
  outsideTransaction,
} from '../kernel/index.ts';
import { type Begun, begin, type Picked } from './begin.ts';
import { DELIVERY } from './due-kinds.ts';
import { untilInstant } from './instant.ts';
import type { Settlement, Settling } from './settle.ts';

export type OutboxOptions = {
  /** How long the provider may take to answer. */
  deadlineMs?: number;
  /** Most attempts of one channel on the wire at the same time. */
  inFlight?: { socket: number; http: number };
};

export type Outbox = {
  start(): void;
  /** Begins nothing more, waits for what is on the wire (20 s at most), gives back the rest. */
  stop(): Promise<void>;
};

const DEADLINE_MS = 60_000;
const IN_FLIGHT = { socket: 8, http: 256 };
const READY = 500;
const BEGIN_BATCH = 500;
/** An attempt is committed this much ahead, so that at the instant itself only the wire is left. */
const LEAD_MS = 20;
/** An answer that could not be stored is tried again after these pauses, about half a minute in all. */
const SETTLE_AGAIN_MS = [200, 500, 1_000, 2_000, 4_000, 8_000, 16_000];
const STOP_MS = 20_000;
const RETRY_MS = 1_000;

/** What one channel has to send. */
type Lane = { ready: DueItem[]; flying: number };

/**
 * Hands due deliveries of the channels that this node drives to their connections: claimed ahead by
 * the due worker, begun in batches as places on the wire get free, sent at the instant, settled in batches.
 */
export function createOutbox(
  kernel: Kernel,
  channels: Channels,
  settling: Settling,
  options: OutboxOptions = {},
): Outbox {
  return new Engine(kernel, channels, settling, options);
}

class Engine implements Outbox {
  readonly #kernel: Kernel;
  readonly #channels: Channels;
  readonly #settling: Settling;
  readonly #deadlineMs: number;
  readonly #places: { socket: number; http: number };
  readonly #lanes = new Map<string, Lane>();
  readonly #flying = new Set<Promise<void>>();
  readonly #worker: DueWorker;
  #beginning: Promise<void> | undefined;
  #unsubscribe: (() => void) | undefined;
  #running = false;
  #turn = 0;

  constructor(kernel: Kernel, channels: Channels, settling: Settling, options: OutboxOptions) {
    this.#kernel = kernel;
    this.#channels = channels;
    this.#settling = settling;
    this.#deadlineMs = options.deadlineMs ?? DEADLINE_MS;
    this.#places = options.inFlight ?? IN_FLIGHT;
    this.#worker = createDueWorker(kernel, {
      kind: DELIVERY,
      lanes: () => this.#lanesWithRoom(),
      perLane: READY,
      leadMs: LEAD_MS,
      fire: items => this.#take(items),
    });
  }

  start(): void {
    this.#running = true;
    this.#unsubscribe = this.#channels.onChange(() => this.#onChange());
    this.#worker.start();
  }

  async stop(): Promise<void> {
    this.#running = false;
    this.#unsubscribe?.();
    await this.#worker.stop();
    await this.#beginning;
    await this.#giveBack(
      [...this.#lanes.values()].flatMap(lane => lane.ready.splice(0)),
      0,
    );
    const landed = Promise.all(this.#flying).then(() => this.#settling.idle());
    await Promise.race([landed, pause(STOP_MS)]);
  }

  #lanesWithRoom(): string[] {
    return this.#channels
      .driven()
      .map(driven => driven.channelId)
      .filter(id => this.#lane(id).ready.length < READY / 2);
  }

  #lane(channelId: string): Lane {
    const known = this.#lanes.get(channelId);
    if (known) return known;
    const lane: Lane = { ready: [], flying: 0 };
    this.#lanes.set(channelId, lane);
    return lane;
  }

  async #take(items: DueItem[]): Promise<void> {
    for (const item of items) this.#lane(item.lane).ready.push(item);
    for (const id of new Set(items.map(item => item.lane))) this.#lane(id).ready.sort(byTurn);
    await this.#releaseUndriven();
    this.#pump();
  }

  #onChange(): void {
    outsideTransaction(() => this.#releaseUndriven()).catch(error =>
      this.#kernel.log.warn({ event: 'messages.release', err: error }, 'claims fall free by themselves'),
    );
    this.#worker.poke();
    this.#pump();
  }

  /** Whoever drives the channel next need not wait until our claims expire. */
  async #releaseUndriven(): Promise<void> {
    const released: DueItem[] = [];
    for (const [id, lane] of this.#lanes) {
      if (this.#channels.drivenById(id)) continue;
      released.push(...lane.ready.splice(0));
      if (lane.flying === 0) this.#lanes.delete(id);
    }
    await this.#giveBack(released, 0);
  }

  #pump(): void {
    if (!this.#running || this.#beginning) return;
    this.#beginning = outsideTransaction(() => this.#beginAll()).finally(() => {
      this.#beginning = undefined;
      if (this.#pickable()) this.#pump();
    });
  }

  async #beginAll(): Promise<void> {
    for (let picked = this.#pick(); picked.length > 0; picked = this.#pick()) {
      const begun = await this.#begin(picked);
      const started = new Set(begun.map(attempt => attempt.deliveryId));
      // Each start keeps one place: an item claimed again while it waited is picked twice and begun once.
      for (const { item } of picked) if (!started.delete(item.subjectId)) this.#land(item.lane);
      for (const attempt of begun) this.#launch(attempt);
      if (this.#lanesWithRoom().length > 0) this.#worker.poke();
    }
  }

  async #begin(picked: Picked[]): Promise<Begun[]> {
    try {
      return await begin(this.#kernel, picked, this.#deadlineMs);
    } catch (error) {
      this.#kernel.log.error({ event: 'messages.begin', items: picked.length, err: error }, 'not begun');
      await this.#giveBack(
        picked.map(({ item }) => item),
        RETRY_MS,
      ).catch(() => undefined);
      return [];
    }
  }

  #pickable(): boolean {
    return this.#running && this.#channels.driven().some(driven => this.#freePlaces(driven) > 0);
  }

  #freePlaces(driven: Driven): number {
    const lane = this.#lanes.get(driven.channelId);
    if (!lane || !driven.held()) return 0;
    return Math.min(lane.ready.length, this.#places[driven.adapter.capabilities.transport] - lane.flying);
  }

  /** Takes turns between the channels, and keeps the order within each. */
  #pick(): Picked[] {
    const picked: Picked[] = [];
    if (!this.#running) return picked;
    const all = this.#channels.driven();
    const first = this.#turn++ % Math.max(1, all.length);
    for (const driven of [...all.slice(first), ...all.slice(0, first)]) {
      const free = Math.min(this.#freePlaces(driven), BEGIN_BATCH - picked.length);
      if (free <= 0) continue;
      const lane = this.#lane(driven.channelId);
      lane.flying += free;
      for (const item of lane.ready.splice(0, free)) picked.push({ item, driven });
    }
    return picked;
  }

  #launch(attempt: Begun): void {
    const flight = this.#send(attempt)
      .catch(error => {
        const ids = { channel_id: attempt.channelId, attempt_id: attempt.attemptId };
        this.#kernel.log.error({ event: 'messages.settle', ...ids, err: error }, 'the answer was not stored');
      })
      .finally(() => this.#flying.delete(flight));
    this.#flying.add(flight);
  }

  async #send(attempt: Begun): Promise<void> {
    const { driven, wire, deadline } = attempt;
    await untilInstant(this.#kernel.clock, attempt.dueAt);
    const started = this.#kernel.clock.monotonic();
    const outcome = driven.held() ? await send(driven, wire, deadline) : notSent(this.#kernel.clock.now());
    this.#land(attempt.channelId);
    this.#pump();
    this.#kernel.log.info({
      event: 'messages.attempt',
      workspace_id: attempt.workspaceId,
      channel_id: attempt.channelId,
      delivery_id: attempt.deliveryId,
      attempt_id: attempt.attemptId,
      outcome: outcome.outcome,
      ms: Math.round(this.#kernel.clock.monotonic() - started),
    });
    await this.#settle({
      workspaceId: attempt.workspaceId,
      channelId: attempt.channelId,
      deliveryId: attempt.deliveryId,
      attemptId: attempt.attemptId,
      outcome,
      answerMeans: driven.adapter.capabilities.answerMeans,
    });
  }

  /** An answer is worth waiting for the database: without it the message would become unknown. */
  async #settle(settlement: Settlement): Promise<void> {
    for (const delay of SETTLE_AGAIN_MS) {
      try {
        return await this.#settling.add(settlement);
      } catch (error) {
        this.#kernel.log.warn({ event: 'messages.settle', attempt_id: settlement.attemptId, err: error });
        await pause(delay);
      }
    }
    await this.#settling.add(settlement);
  }

  #land(channelId: string): void {
    const lane = this.#lanes.get(channelId);
    if (lane) lane.flying -= 1;
  }

  async #giveBack(items: DueItem[], delayMs: number): Promise<void> {
    if (items.length === 0) return;
    const { database, node } = this.#kernel;
    await database.inEngine('messages.give_back', tx => giveBackDue(tx, node.bootId, items, delayMs));
  }
}

/** Adapters do not throw; one that does has said nothing about what became of the message. */
async function send(driven: Driven, wire: Begun['wire'], deadline: Date): Promise<SendOutcome> {
  try {
    return await driven.connection.send(wire, deadline);
  } catch (error) {
    return { outcome: 'unknown', cause: error instanceof Error ? error.name : 'error' };
  }
}

/** The channel went to another node between the commit and the wire, so it surely was not sent. */
function notSent(now: Date): SendOutcome {
  return { outcome: 'deferred', code: 'channel_moved', until: now };
}

/** Of what is due at the same moment, what was accepted first. */
function byTurn(a: DueItem, b: DueItem): number {
  const order = b.priority - a.priority || a.dueAt.getTime() - b.dueAt.getTime();
  return order || (a.subjectId < b.subjectId ? -1 : 1);
}

function pause(ms: number): Promise<void> {
  return new Promise(resolve => setTimeout(resolve, ms).unref());
}
