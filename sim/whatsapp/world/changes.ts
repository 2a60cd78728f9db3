/** Tells the page and waiting tests that something in the world moved; coalesced, carries no data. */
export class Changes {
  readonly #listeners = new Set<() => void>();
  #scheduled = false;

  listen(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Resolves at the next change, or after `ms` without one. */
  next(ms: number): Promise<void> {
    return new Promise(resolve => {
      const done = () => {
        clearTimeout(timer);
        stop();
        resolve();
      };
      const timer = setTimeout(done, Math.max(ms, 1));
      const stop = this.listen(done);
    });
  }

  announce(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      for (const listener of this.#listeners) listener();
    });
  }
}
