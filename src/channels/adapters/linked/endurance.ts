/** A connection that stood this long starts counting failures anew. */
const STABLE_MS = 60_000;
/** The same for sockets that went deaf. */
const CURED_MS = 600_000;
/** From so many failures in a row on, the channel is shown as in trouble. */
const TROUBLE = 5;
/** So many deaf sockets, one soon after the other, are not the socket's fault. */
const DEAF_SOCKETS = 3;

/** How the sockets of one connection have fared: what follows from one that failed, and what people are told. */
export class Endurance {
  readonly #now: () => number;
  #failures = 0;
  #deaf = 0;
  #deafEver = 0;
  #openedAt: number | undefined;
  #isDeaf = false;

  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  opened(): void {
    this.#openedAt = this.#now();
    this.#isDeaf = false;
  }

  /** The socket is open and of no use. */
  wentDeaf(): void {
    this.#isDeaf = true;
  }

  /** The socket is over, whether it had opened or not. */
  ended(): void {
    const stoodMs = this.#openedAt === undefined ? 0 : this.#now() - this.#openedAt;
    this.#openedAt = undefined;
    if (stoodMs > STABLE_MS) this.#failures = 0;
    if (stoodMs > CURED_MS) this.#deaf = 0;
    if (this.#isDeaf) {
      this.#deaf += 1;
      this.#deafEver += 1;
    }
    this.#isDeaf = false;
  }

  failed(): void {
    this.#failures += 1;
  }

  get isOpen(): boolean {
    return this.#openedAt !== undefined;
  }

  /** In a row, this one included; 1 at least. */
  get failures(): number {
    return Math.max(1, this.#failures);
  }

  /** Deaf sockets since the connection began. */
  get deafEver(): number {
    return this.#deafEver;
  }

  /** A socket behind a deaf one has to prove itself before it counts. */
  get isDoubtful(): boolean {
    return this.#deaf > 0;
  }

  get isInTrouble(): boolean {
    return this.#failures >= TROUBLE || this.#deaf >= DEAF_SOCKETS;
  }

  /** What people are told is wrong, once it is trouble. */
  troubleWith(reason: string): string {
    return this.#deaf >= DEAF_SOCKETS ? 'restart_advised' : reason;
  }
}
