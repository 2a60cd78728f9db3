type Waiting = { start: () => void; refuse: (error: Error) => void };

/** Hands one thing out to one caller at a time, in the order in which they asked. */
export class Turns {
  readonly #waiting: Waiting[] = [];
  #taken = false;
  #refusal: Error | undefined;
  #onIdle: (() => void) | undefined;

  /** Resolves with the function that ends the turn. */
  take(): Promise<() => void> {
    return new Promise((resolve, reject) => {
      if (this.#refusal) return reject(this.#refusal);
      const start = () => resolve(this.#turn());
      if (this.#taken) this.#waiting.push({ start, refuse: reject });
      else {
        this.#taken = true;
        start();
      }
    });
  }

  /** Refuses those who wait and all who come later. */
  refuse(reason: Error): void {
    this.#refusal ??= reason;
    for (const { refuse } of this.#waiting.splice(0)) refuse(reason);
  }

  /** Refuses all who come later; resolves when the last of those who wait has had its turn. */
  async end(reason: Error): Promise<void> {
    this.#refusal ??= reason;
    if (!this.#taken) return;
    await new Promise<void>(resolve => {
      this.#onIdle = resolve;
    });
  }

  #turn(): () => void {
    let over = false;
    return () => {
      if (over) return;
      over = true;
      const next = this.#waiting.shift();
      if (next) return next.start();
      this.#taken = false;
      this.#onIdle?.();
    };
  }
}
