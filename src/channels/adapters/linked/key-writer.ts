import type { CredentialStore, KeyChange, RawInbound } from '../contract.ts';

type Batch = {
  changes: Map<string, KeyChange>;
  opened: RawInbound[];
  done: Promise<void>;
  settle: { resolve(): void; reject(error: unknown): void };
};

/** A store call that hangs must not silence the connection: after this it counts as failed. */
const STORE_TIMEOUT_MS = 10_000;

/**
 * Collects the key writes of one tick into one transaction; each caller waits until that one is stored.
 * A later value of the same key wins. One batch at a time: the next collects while one is under way.
 */
export class KeyWriter {
  readonly #store: CredentialStore;
  #next: Batch | undefined;
  #running: Promise<void> | undefined;

  constructor(store: CredentialStore) {
    this.#store = store;
  }

  write(changes: KeyChange[], opened: RawInbound[] = []): Promise<void> {
    if (changes.length === 0 && opened.length === 0) return Promise.resolve();
    const batch = this.#next ?? this.#open();
    for (const change of changes) batch.changes.set(`${change.type}\n${change.id}`, change);
    batch.opened.push(...opened);
    return batch.done;
  }

  /** Resolves once all that was handed over is stored or refused. */
  async settled(): Promise<void> {
    while (this.#running) await this.#running;
  }

  #open(): Batch {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const batch = { changes: new Map(), opened: [], done: promise, settle: { resolve, reject } };
    this.#next = batch;
    this.#running ??= this.#drain();
    return batch;
  }

  async #drain(): Promise<void> {
    while (this.#next) {
      await new Promise(resolve => setImmediate(resolve));
      const { changes, opened, settle } = this.#next;
      this.#next = undefined;
      try {
        await inTime(this.#store.writeKeys([...changes.values()], opened));
        settle.resolve();
      } catch (error) {
        settle.reject(error);
      }
    }
    this.#running = undefined;
  }
}

/** Rejects when the store takes too long; the write itself may still happen, which a ratchet survives. */
export async function inTime<T>(work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(
      () => reject(new Error('The store of credentials did not answer in time.')),
      STORE_TIMEOUT_MS,
    );
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
