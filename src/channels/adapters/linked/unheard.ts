import { StoreFault } from './store.ts';

/** A message that fails for other reasons than our store is confirmed in the end: it might fail for ever. */
const TRIES = 5;
const WITHIN_MS = 3_600_000;

/**
 * What Baileys says when it gives a message up, by an error before it was opened or because it could not ask for one
 * that it cannot read; it confirms it with its next write, and then nobody ever sees it.
 */
const GIVES_UP = new Set(['error in handling message', 'Failed to send retry']);

/** Decides about messages that are given up: where the socket ends first, the server brings them again on the next. */
export class Unheard {
  #tried: number[] = [];

  /** Why the socket has to end before anything more is written; undefined when it may go on. */
  reason(sentence: string | undefined, error: unknown): 'store_unavailable' | 'unexpected_end' | undefined {
    if (sentence === undefined || !GIVES_UP.has(sentence)) return undefined;
    if (error instanceof StoreFault) return 'store_unavailable';
    const now = performance.now();
    this.#tried = this.#tried.filter(at => at > now - WITHIN_MS);
    if (this.#tried.length >= TRIES) return undefined;
    this.#tried.push(now);
    return 'unexpected_end';
  }
}
