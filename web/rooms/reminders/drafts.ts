import type { Draft } from './draft.ts';

/** What a draft became; remembered, so that its address leads to the reminder and not to an empty form. */
export type Kept = { draft: Draft } | { saved: string; changedAt: number };

const DAY = 86_400_000;
const DRAFTS_STAY = 30 * DAY;
const SAVED_STAY = 7 * DAY;

/** Drafts on this device, shared between its tabs. */
export class Drafts {
  readonly #storage: Storage;
  readonly #prefix: string;
  readonly #listeners = new Set<() => void>();
  readonly #read = new Map<string, { text: string; kept: Kept | undefined }>();
  #list: { text: string; drafts: Draft[] } = { text: '', drafts: [] };

  constructor(storage: Storage, workspace: string) {
    this.#storage = storage;
    this.#prefix = `convoke.draft.${workspace}.`;
  }

  /** The same object until it changes. */
  read(id: string): Kept | undefined {
    const text = this.#text(id);
    const known = this.#read.get(id);
    if (known?.text === text) return known.kept;
    const kept = parse(text);
    this.#read.set(id, { text, kept });
    return kept;
  }

  write(draft: Draft): void {
    this.#put(draft.id, { draft });
  }

  /** The draft became this reminder. */
  markSaved(id: string, reminderId: string, now: number): void {
    this.#put(id, { saved: reminderId, changedAt: now });
  }

  discard(id: string): void {
    this.#storage.removeItem(this.#prefix + id);
    this.#tell();
  }

  /** Unfinished ones, last changed first. The same array until one changes. */
  list(): Draft[] {
    const drafts = this.#ids()
      .map(id => this.read(id))
      .flatMap(kept => (kept && 'draft' in kept ? [kept.draft] : []))
      .sort((a, b) => b.changedAt - a.changedAt);
    const text = drafts.map(draft => `${draft.id} ${draft.changedAt}`).join();
    if (text !== this.#list.text) this.#list = { text, drafts };
    return this.#list.drafts;
  }

  /** Forgets what nobody came back for. */
  tidy(now: number): void {
    for (const id of this.#ids()) {
      const kept = this.read(id);
      const [changedAt, stays] =
        kept === undefined
          ? [0, 0]
          : 'draft' in kept
            ? [kept.draft.changedAt, DRAFTS_STAY]
            : [kept.changedAt, SAVED_STAY];
      if (now - changedAt > stays) this.#storage.removeItem(this.#prefix + id);
    }
  }

  /** Called after a change in this tab; `changedElsewhere` brings in those of the others. */
  subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  changedElsewhere(key: string | null): void {
    if (key === null || key.startsWith(this.#prefix)) this.#tell();
  }

  #put(id: string, kept: Kept): void {
    try {
      this.#storage.setItem(this.#prefix + id, JSON.stringify(kept));
    } catch {
      // A full or forbidden storage: the draft lives on in this tab alone.
      this.#read.set(id, { text: this.#text(id), kept });
    }
    this.#tell();
  }

  #text(id: string): string {
    return this.#storage.getItem(this.#prefix + id) ?? '';
  }

  #ids(): string[] {
    return Array.from({ length: this.#storage.length }, (_, index) => this.#storage.key(index) ?? '')
      .filter(key => key.startsWith(this.#prefix))
      .map(key => key.slice(this.#prefix.length));
  }

  #tell(): void {
    for (const listener of this.#listeners) listener();
  }
}

function parse(text: string): Kept | undefined {
  try {
    const kept: unknown = JSON.parse(text);
    if (typeof kept !== 'object' || kept === null) return undefined;
    return 'draft' in kept || 'saved' in kept ? (kept as Kept) : undefined;
  } catch {
    return undefined;
  }
}
