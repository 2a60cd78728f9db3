/** Of one socket: whether all that the server had kept for it was handed over, stored, and told. */
export class CatchUp {
  #opened = false;
  #handedOver = false;
  #told = false;
  #hasGap = false;

  /** The connection has opened. The end of the backlog may come before it as well as after. */
  opened(): void {
    this.#opened = true;
  }

  handedOver(): void {
    this.#handedOver = true;
  }

  /** Something that came could not be stored: this socket never catches up. */
  missed(): void {
    this.#hasGap = true;
  }

  get isWhole(): boolean {
    return !this.#hasGap;
  }

  /** True once, as soon as there is something to tell when all reports before are stored. */
  isDue(): boolean {
    if (this.#told || !this.#opened || !this.#handedOver) return false;
    this.#told = true;
    return true;
  }
}
