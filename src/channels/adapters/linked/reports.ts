import { pause } from '../../pause.ts';
import type { ReceiptFact, Sink } from '../contract.ts';

type Entry = {
  /** The socket that brings it again when it is not stored; undefined when nobody does. */
  socket: object | undefined;
  work: { facts: () => Promise<ReceiptFact[]> } | { run: () => Promise<void> };
  settle(stored: boolean): void;
};

type Voices = {
  fault(error: unknown): void;
  /** A report was given up; with its socket all others of it were, too. */
  lost(socket: object | undefined): void;
};

/** Receipts of a large group come by the hundred; they are stored together. */
const BATCH = 200;
/** Some twenty seconds: about as long as a lease lasts without the database. */
const TRIES = 8;
const FIRST_PAUSE_MS = 200;
const LONGEST_PAUSE_MS = 5_000;

/**
 * Takes what a connection hears to the sink, one report after the other, so that a read never overtakes the
 * delivery before it. A sink that fails is tried again after growing pauses.
 */
export class Reports {
  readonly #sink: Pick<Sink, 'receipts'>;
  readonly #voices: Voices;
  readonly #over: AbortSignal;
  readonly #patience: number;
  #waiting: Entry[] = [];
  #running: Promise<void> | undefined;

  constructor(sink: Pick<Sink, 'receipts'>, voices: Voices, over: AbortSignal, patience = 1) {
    this.#sink = sink;
    this.#voices = voices;
    this.#over = over;
    this.#patience = patience;
  }

  /** Resolves with whether it is stored. Never rejects. */
  add(socket: object | undefined, run: () => Promise<void>): Promise<boolean> {
    return this.#put(socket, { run });
  }

  /** The same for a receipt. */
  receipt(socket: object, facts: () => Promise<ReceiptFact[]>): Promise<boolean> {
    return this.#put(socket, { facts });
  }

  /** The socket is over: what it has brought and is not stored comes again on another one. */
  drop(socket: object): void {
    const gone = this.#waiting.filter(entry => entry.socket === socket);
    this.#waiting = this.#waiting.filter(entry => entry.socket !== socket);
    for (const entry of gone) entry.settle(false);
  }

  async settled(): Promise<void> {
    while (this.#running) await this.#running;
  }

  #put(socket: object | undefined, work: Entry['work']): Promise<boolean> {
    const { promise, resolve } = Promise.withResolvers<boolean>();
    this.#waiting.push({ socket, work, settle: resolve });
    this.#running ??= this.#drain();
    return promise;
  }

  async #drain(): Promise<void> {
    await Promise.resolve();
    for (let batch = this.#take(); batch.length > 0; batch = this.#take()) {
      const stored = await this.#inSpite(() => this.#store(batch));
      for (const entry of batch) entry.settle(stored);
      if (!stored) this.#giveUp(batch[0]?.socket);
    }
    this.#running = undefined;
  }

  /** The next entry, with the receipts behind it when it is one. */
  #take(): Entry[] {
    const [first] = this.#waiting;
    if (!first) return [];
    const other = this.#waiting.findIndex(
      ({ work, socket }) => !('facts' in work) || socket !== first.socket,
    );
    const count = other === -1 ? this.#waiting.length : other;
    return this.#waiting.splice(0, Math.min(BATCH, Math.max(1, count)));
  }

  async #store(batch: Entry[]): Promise<void> {
    const facts: ReceiptFact[] = [];
    for (const { work } of batch) {
      if ('run' in work) await work.run();
      else facts.push(...(await work.facts()));
    }
    if (facts.length > 0) await this.#sink.receipts(facts);
  }

  async #inSpite(work: () => Promise<void>): Promise<boolean> {
    for (let tries = 1; ; tries++) {
      try {
        await work();
        return true;
      } catch (error) {
        this.#voices.fault(error);
        if (tries >= TRIES || this.#over.aborted) return false;
        const ms = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** (tries - 1));
        await pause(ms * this.#patience, this.#over);
      }
    }
  }

  #giveUp(socket: object | undefined): void {
    if (socket) this.drop(socket);
    this.#voices.lost(socket);
  }
}
