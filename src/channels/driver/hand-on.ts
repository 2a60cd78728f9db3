import { outsideTransaction } from '../../kernel/index.ts';
import type { Adapter, Inbound } from '../adapters/contract.ts';
import { forgetWaiting, readWaiting, type Waiting } from '../intake.ts';
import { pause } from '../pause.ts';
import { type Place, unfenced } from '../place.ts';
import type { InboundSink } from '../ports.ts';
import { logFault } from './report.ts';

const BATCH = 100;
const STOP_MS = 5_000;
const FIRST = '00000000-0000-0000-0000-000000000000';

export type Pace = {
  firstPauseMs: number;
  longestPauseMs: number;
  /** After so many vain tries in a row one message no longer holds up those behind it. */
  tries: number;
  /** How long it then stays aside. */
  asideMs: number;
};

/** Some three minutes of tries. */
const PACE: Pace = { firstPauseMs: 1_000, longestPauseMs: 30_000, tries: 10, asideMs: 10 * 60_000 };

/**
 * Hands what intake holds of one channel to the rooms to the right: in the order in which it came, each at least
 * once, also what an earlier holder of the channel has left. It is forgotten only after the room has taken it. A
 * room that fails is asked again after growing pauses, which hold up nobody else.
 */
export class HandOn {
  readonly #place: Place;
  readonly #adapter: Pick<Adapter, 'parse'>;
  readonly #sink: Pick<InboundSink, 'inbound'>;
  readonly #pace: Pace;
  readonly #stop = new AbortController();
  readonly #over: AbortSignal;
  #after = FIRST;
  #aside: NodeJS.Timeout | undefined;
  #again = false;
  #running: Promise<void> | undefined;

  constructor(
    place: Place,
    adapter: Pick<Adapter, 'parse'>,
    sink: Pick<InboundSink, 'inbound'>,
    pace = PACE,
  ) {
    this.#place = place;
    this.#adapter = adapter;
    this.#sink = sink;
    this.#pace = pace;
    this.#over = AbortSignal.any([this.#stop.signal, place.lease.lost]);
  }

  /** There may be something to hand on. */
  wake(): void {
    this.#again = true;
    this.#running ??= outsideTransaction(() => this.#run());
  }

  /** Waits until nothing is left to hand on, or less when the signal aborts. */
  async drained(signal: AbortSignal): Promise<void> {
    this.wake();
    const { promise: aborted, resolve } = Promise.withResolvers<void>();
    const give = () => resolve();
    signal.addEventListener('abort', give, { once: true });
    if (signal.aborted) resolve();
    await Promise.race([this.#running, aborted]);
    signal.removeEventListener('abort', give);
  }

  /** Begins nothing new; what a room is taking just now gets a few seconds. */
  async stop(): Promise<void> {
    this.#stop.abort();
    clearTimeout(this.#aside);
    if (!this.#running) return;
    const patience = new AbortController();
    await Promise.race([this.#running, pause(STOP_MS, patience.signal)]);
    patience.abort();
  }

  async #run(): Promise<void> {
    while (this.#again && !this.#over.aborted) {
      this.#again = false;
      await this.#handAll();
    }
    this.#running = undefined;
  }

  async #handAll(): Promise<void> {
    let failures = 0;
    while (!this.#over.aborted) {
      let waiting: Waiting[] = [];
      try {
        // One at a time behind a failure, to learn which one it is that fails.
        waiting = await this.#read(failures === 0 ? BATCH : 1);
        if (waiting.length === 0) return;
        await this.#hand(waiting);
        failures = 0;
      } catch (error) {
        logFault(this.#place, 'hand_on', error);
        failures += 1;
        const [first] = waiting;
        if (first && failures >= this.#pace.tries) {
          this.#putAside(first.id);
          failures = 0;
        } else await pause(this.#pauseMs(failures), this.#over);
      }
    }
  }

  async #read(limit: number): Promise<Waiting[]> {
    const place = this.#place;
    const vault = await place.kernel.secrets.vault(place.workspaceId);
    return unfenced(place, 'channels.read_waiting', tx => readWaiting(tx, place, vault, this.#after, limit));
  }

  /** No transaction is open while the room takes it. */
  async #hand(waiting: Waiting[]): Promise<void> {
    const place = this.#place;
    const inbound: Inbound[] = waiting
      .filter(({ isFilled }) => !isFilled)
      .flatMap(one => this.#adapter.parse(one.open()));
    if (inbound.length > 0) await this.#sink.inbound(place.workspaceId, place.channelId, inbound);
    const ids = waiting.map(({ id }) => id);
    await unfenced(place, 'channels.forget_waiting', tx => forgetWaiting(tx, place, ids));
  }

  /** What fails by itself is tried again later; it stays stored. */
  #putAside(id: string): void {
    this.#after = id;
    this.#aside ??= setTimeout(() => {
      this.#aside = undefined;
      this.#after = FIRST;
      this.wake();
    }, this.#pace.asideMs);
    this.#aside.unref();
  }

  #pauseMs(failures: number): number {
    return Math.min(this.#pace.longestPauseMs, this.#pace.firstPauseMs * 2 ** (failures - 1));
  }
}
