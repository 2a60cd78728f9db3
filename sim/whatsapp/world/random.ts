/** All chance of the simulator: ids, pairing references and fault rolls. Keys are not in it, see the README. */
export class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** Where the sequence stands. */
  get state(): number {
    return this.#state;
  }

  set state(state: number) {
    this.#state = state >>> 0;
  }

  /** A number in [0, 1), by mulberry32. */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let mixed = this.#state;
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  }

  /** True with the given probability; draws nothing for 0, so that a quiet world stays the same world. */
  chance(probability: number): boolean {
    return probability > 0 && this.next() < probability;
  }

  bytes(length: number): Buffer {
    return Buffer.from(Array.from({ length }, () => Math.floor(this.next() * 256)));
  }

  digits(length: number): string {
    return Array.from({ length }, () => String(Math.floor(this.next() * 10))).join('');
  }

  /** A message id in the shape that phones use. */
  messageId(): string {
    return `3EB0${this.bytes(9).toString('hex').toUpperCase()}`;
  }
}
