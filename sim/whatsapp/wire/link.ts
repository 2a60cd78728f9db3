import type { Stanza } from './stanza.ts';

/** The way from the server to one socket: keeps the order, adds latency, may let one stanza be overtaken. */
export class Link {
  readonly #write: (node: Stanza) => void;
  readonly #timers = new Set<NodeJS.Timeout>();
  #lastDue = 0;
  #held: Stanza | undefined;

  constructor(write: (node: Stanza) => void) {
    this.#write = write;
  }

  send(node: Stanza, latencyMs: number): void {
    const held = this.#held;
    this.#held = undefined;
    this.#schedule(node, latencyMs);
    if (held) this.#schedule(held, latencyMs);
  }

  /** Keeps the stanza back until the next one has passed it, but no longer than 200 ms. */
  hold(node: Stanza, latencyMs: number): void {
    if (this.#held) {
      this.send(node, latencyMs);
      return;
    }
    this.#held = node;
    this.#later(200, () => {
      if (this.#held !== node) return;
      this.#held = undefined;
      this.#schedule(node, latencyMs);
    });
  }

  close(): void {
    for (const timer of this.#timers) clearTimeout(timer);
    this.#timers.clear();
    this.#held = undefined;
  }

  #schedule(node: Stanza, latencyMs: number): void {
    const now = Date.now();
    const due = Math.max(this.#lastDue, now + latencyMs);
    this.#lastDue = due;
    if (due <= now) this.#write(node);
    else this.#later(due - now, () => this.#write(node));
  }

  #later(ms: number, work: () => void): void {
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      work();
    }, ms);
    this.#timers.add(timer);
  }
}
