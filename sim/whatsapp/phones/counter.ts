/** Counts per key, for a bounded number of keys. */
export class Counter {
  readonly #counts = new Map<string, number>();
  readonly #limit: number;

  constructor(limit: number) {
    this.#limit = limit;
  }

  next(key: string): number {
    const count = (this.#counts.get(key) ?? 0) + 1;
    this.#counts.delete(key);
    this.#counts.set(key, count);
    const oldest = this.#counts.keys().next();
    if (this.#counts.size > this.#limit && !oldest.done) this.#counts.delete(oldest.value);
    return count;
  }
}
