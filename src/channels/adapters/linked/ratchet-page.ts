import type {
  SignalDataSet,
  SignalDataTypeMap,
  SignalKeyStore,
  SignalKeyStoreWithTransaction,
} from 'baileys';

type Values = Map<string, unknown>;

/**
 * A page of notes over the key store for one step of one ratchet: reads fall through, writes stay on the page
 * until `commit` stores them at once. The page is handed on by reference and not found through the running
 * async context, because libsignal runs the jobs of all connections that share a peer in one of their contexts.
 */
export class RatchetPage implements SignalKeyStoreWithTransaction {
  readonly #store: SignalKeyStore;
  readonly #written = new Map<string, Values>();
  #fault: unknown;

  constructor(store: SignalKeyStore) {
    this.#store = store;
  }

  /** What the store answered when it failed, whatever was made of it since. */
  get fault(): unknown {
    return this.#fault;
  }

  async get<T extends keyof SignalDataTypeMap>(
    type: T,
    ids: string[],
  ): Promise<{ [id: string]: SignalDataTypeMap[T] }> {
    const written = this.#written.get(type);
    const missing = ids.filter(id => !written?.has(id));
    const found = await this.#noting(() => this.#store.get(type, missing));
    for (const id of ids) {
      const value = written?.get(id);
      if (value !== undefined && value !== null) found[id] = value as SignalDataTypeMap[T];
    }
    return found;
  }

  async set(data: SignalDataSet): Promise<void> {
    for (const [type, values] of Object.entries(data)) {
      const written = this.#written.get(type) ?? new Map<string, unknown>();
      for (const [id, value] of Object.entries(values ?? {})) written.set(id, value);
      this.#written.set(type, written);
    }
  }

  /** The page is the transaction. */
  transaction<T>(work: () => Promise<T>): Promise<T> {
    return work();
  }

  isInTransaction(): boolean {
    return true;
  }

  async commit(): Promise<void> {
    if (this.#written.size === 0) return;
    const data = [...this.#written].map(([type, values]) => [type, Object.fromEntries(values)]);
    await this.#noting(async () => this.#store.set(Object.fromEntries(data) as SignalDataSet));
  }

  async #noting<T>(work: () => T | Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      this.#fault = error;
      throw error;
    }
  }
}
