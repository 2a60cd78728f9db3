import type { CredentialStore, KeyChange } from '../contract.ts';
import { BoundedCache, type Caches } from './bounded-cache.ts';
import { inTime } from './key-writer.ts';

/** Read once and then deleted; 800 of them would fill the memory for nothing. */
const ONE_TIME = 'pre-key';
const KEPT = 1_000;
const DAY_MS = 86_400_000;

type Kept = { value: Uint8Array | undefined };

/**
 * What is known of the stored keys of one connection, absent ones included. It may be believed because a channel
 * has one connection, which does all writing and ends with its lease; the next connection begins with nothing.
 */
export class KnownKeys {
  readonly #store: CredentialStore;
  readonly #kept = new BoundedCache(KEPT, DAY_MS);
  readonly caches: Caches = { keys: this.#kept };
  #writes = 0;

  constructor(store: CredentialStore) {
    this.#store = store;
  }

  async read(type: string, ids: string[]): Promise<Map<string, Uint8Array>> {
    const found = new Map<string, Uint8Array>();
    const missing: string[] = [];
    for (const id of ids) {
      const kept = this.#kept.get<Kept>(nameOf(type, id));
      if (!kept) missing.push(id);
      else if (kept.value) found.set(id, kept.value);
    }
    if (missing.length === 0) return found;
    const writes = this.#writes;
    const stored = await inTime(this.#store.readKeys(type, missing));
    // What was read beside a write may be older than it.
    const isCurrent = writes === this.#writes;
    for (const id of missing) {
      const value = stored.get(id);
      if (value) found.set(id, value);
      if (isCurrent) this.#keep({ type, id, value });
    }
    return found;
  }

  /** The changes are stored. */
  written(changes: KeyChange[]): void {
    this.#writes += 1;
    for (const change of changes) this.#keep(change);
  }

  /** Whether the changes were stored is not known. */
  doubted(changes: KeyChange[]): void {
    this.#writes += 1;
    for (const { type, id } of changes) this.#kept.del(nameOf(type, id));
  }

  #keep({ type, id, value }: KeyChange): void {
    if (type !== ONE_TIME) this.#kept.set<Kept>(nameOf(type, id), { value });
  }
}

function nameOf(type: string, id: string): string {
  return `${type}\n${id}`;
}
