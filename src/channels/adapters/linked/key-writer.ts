import type { CredentialStore, KeyChange, RawInbound } from '../contract.ts';

type Batch = {
  changes: Map<string, KeyChange>;
  opened: RawInbound[];
  done: Promise<void>;
  settle: { resolve(): void; reject(error: unknown): void };
  timer: NodeJS.Timeout;
};

/** A store call that hangs must not silence the connection: after this it counts as failed. */
const STORE_TIMEOUT_MS = 10_000;

/**
 * Collects the key writes of one tick into one transaction; each caller waits until that one is stored.
 * A later value of the same key wins. One batch at a time: the next collects while one is under way, also
 * while one is under way that its callers have given up, because it may still be stored.
 */
export class KeyWriter {
  readonly #store: CredentialStore;
  readonly #timeoutMs: number;
  #next: Batch | undefined;
  #running: Promise<void> | undefined;
  #writing: Promise<void> | undefined;
  /** A write that its callers have given up: whether it is stored will be known when it settles. */
  #doubt: Promise<void> | undefined;

  constructor(store: CredentialStore, timeoutMs = STORE_TIMEOUT_MS) {
    this.#store = store;
    this.#timeoutMs = timeoutMs;
  }

  write(changes: KeyChange[], opened: RawInbound[] = []): Promise<void> {
    if (changes.length === 0 && opened.length === 0) return Promise.resolve();
    const batch = this.#next ?? this.#open();
    for (const change of changes) batch.changes.set(`${change.type}\n${change.id}`, change);
    batch.opened.push(...opened);
    return batch.done;
  }

  /** What is stored can be trusted from here on: no write is under way of which nobody knows the end. */
  async certain(): Promise<void> {
    if (this.#doubt) await inTime(this.#doubt, this.#timeoutMs);
  }

  /** Resolves once all that was handed over is stored or refused; rejects when that takes too long. */
  async settled(): Promise<void> {
    while (this.#running) await inTime(this.#running, this.#timeoutMs);
  }

  #open(): Batch {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    promise.catch(() => undefined);
    const timer = setTimeout(() => this.#late(batch), this.#timeoutMs);
    const batch: Batch = {
      changes: new Map(),
      opened: [],
      done: promise,
      settle: { resolve, reject },
      timer,
    };
    this.#next = batch;
    this.#running ??= this.#drain();
    return batch;
  }

  /** One that has not begun is dropped; its callers are told the same as those of one that has. */
  #late(batch: Batch): void {
    if (this.#next === batch) this.#next = undefined;
    else this.#doubt = this.#writing;
    batch.settle.reject(tooSlow());
  }

  async #drain(): Promise<void> {
    await nextTick();
    while (this.#next) {
      const batch = this.#next;
      this.#next = undefined;
      this.#writing = this.#write(batch);
      await this.#writing;
      this.#doubt = undefined;
      await nextTick();
    }
    this.#running = undefined;
  }

  async #write({ changes, opened, settle, timer }: Batch): Promise<void> {
    try {
      await this.#store.writeKeys([...changes.values()], opened);
      settle.resolve();
    } catch (error) {
      settle.reject(error);
    }
    clearTimeout(timer);
  }
}

function nextTick(): Promise<void> {
  return new Promise(resolve => setImmediate(resolve));
}

/** Rejects when the store takes too long; what was asked of it may still happen. */
export async function inTime<T>(work: Promise<T>, timeoutMs = STORE_TIMEOUT_MS): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(tooSlow()), timeoutMs);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}

function tooSlow(): Error {
  return new Error('The store of credentials did not answer in time.');
}
