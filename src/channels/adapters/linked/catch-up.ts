/** Of one socket: whether all that the server had kept for it was handed over, stored, and told. */
export class CatchUp {
  readonly #onDue: () => void;
  #opened = false;
  #handedOver = false;
  #told = false;
  #hasGap = false;
  #movedAt = performance.now();

  /** `onDue` is called once, when all is there and has only to be stored. */
  constructor(onDue: () => void) {
    this.#onDue = onDue;
  }

  /** The connection can be used. The end of the backlog may come before it as well as after. */
  opened(): void {
    this.#opened = true;
    this.#look();
  }

  /** A piece of the backlog came. */
  moved(): void {
    this.#movedAt = performance.now();
  }

  handedOver(): void {
    this.#handedOver = true;
    this.#look();
  }

  /** Something that came could not be stored: this socket never catches up. */
  missed(): void {
    this.#hasGap = true;
  }

  get isWhole(): boolean {
    return !this.#hasGap;
  }

  /** For how long the rest of the backlog has been awaited; 0 once it is here. */
  waitedMs(now = performance.now()): number {
    return this.#handedOver ? 0 : now - this.#movedAt;
  }

  #look(): void {
    if (this.#told || !this.#opened || !this.#handedOver) return;
    this.#told = true;
    this.#onDue();
  }
}
