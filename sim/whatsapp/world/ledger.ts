import type { Changes } from './changes.ts';

/** One logical message at one recipient; `copies` counts how often that phone decrypted it from the wire. */
export type LedgerEntry = {
  id: string;
  /** The recipient's '+' number, or the group id. */
  chat: string;
  from: string;
  to: string;
  text: string;
  /** ISO instant of the first copy. */
  at: string;
  copies: number;
};

type Decrypted = Omit<LedgerEntry, 'at' | 'copies'>;

const MAX_ENTRIES = 200_000;

/** What really arrived, written by the recipients' phones alone; the product's own tables are compared with it. */
export class Ledger {
  readonly #entries = new Map<string, LedgerEntry>();
  readonly #changes: Changes;

  constructor(changes: Changes) {
    this.#changes = changes;
  }

  record(message: Decrypted): void {
    const key = keyOf(message);
    const known = this.#entries.get(key);
    if (known) known.copies += 1;
    else this.#entries.set(key, { ...message, at: new Date().toISOString(), copies: 1 });
    if (this.#entries.size > MAX_ENTRIES) this.#dropOldest();
    this.#changes.announce();
  }

  /** Entries in the order of their first copy. */
  list(since?: Date): LedgerEntry[] {
    const from = since?.toISOString() ?? '';
    return [...this.#entries.values()].filter(entry => entry.at >= from).map(entry => ({ ...entry }));
  }

  restore(entries: LedgerEntry[]): void {
    for (const entry of entries) this.#entries.set(keyOf(entry), entry);
  }

  #dropOldest(): void {
    const oldest = this.#entries.keys().next();
    if (!oldest.done) this.#entries.delete(oldest.value);
  }
}

function keyOf({ chat, id, from, to }: Decrypted): string {
  return JSON.stringify([chat, id, from, to]);
}
