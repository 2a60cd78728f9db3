import type { Clock } from '../kernel/index.ts';

/** Before every connection: whatever has caught up since may tell. */
export const ANY_TIME = -1;

const AGAIN_MS = 1_000;

/**
 * What one process knows of the attempts of one channel that nobody has an answer to. Silence proves something only
 * after the provider has handed over, on a later connection than theirs, all that waited.
 */
export class Doubts {
  /** Attempts under way, and such whose answer never came, with the connection that they may have gone out on. */
  readonly #known = new Map<string, number | 'flying'>();
  readonly #clock: Clock;
  /** The latest connection that has caught up. */
  #caughtUp = ANY_TIME;
  #asked = false;
  #looking = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Nothing is lost when these doubts are forgotten: every attempt is accounted for. */
  get isEmpty(): boolean {
    return this.#known.size === 0 && !this.#looking;
  }

  /** The connection of this number has caught up; to be told any number of times. */
  caughtUp(opening: number): void {
    if (opening <= this.#caughtUp) return;
    this.#caughtUp = opening;
    this.#asked = true;
  }

  /** Something that kept messages from being sent again is over. */
  askAgain(): void {
    this.#asked = true;
  }

  launched(attemptId: string): void {
    this.#known.set(attemptId, 'flying');
  }

  /** Its answer is stored, but what became of the message is still open: it may have gone out on this connection. */
  remember(attemptId: string, opening: number): void {
    this.#known.set(attemptId, opening);
    if (opening < this.#caughtUp) this.#asked = true;
  }

  forget(attemptId: string): void {
    this.#known.delete(attemptId);
  }

  /** An attempt that this process knows nothing of was begun by one that is gone. */
  awaits(attemptId: string): boolean {
    const seen = this.#known.get(attemptId);
    if (seen === undefined) return false;
    return seen === 'flying' || seen >= this.#caughtUp;
  }

  /**
   * Runs `work` when there is something to clear up; one at a time. Calls `again` when there is more: it was asked for
   * meanwhile, or the work failed.
   */
  clearUp(work: () => Promise<void>, again: () => void, onFault: (error: unknown) => void): void {
    if (!this.#asked || this.#looking) return;
    this.#asked = false;
    this.#looking = true;
    let pauseMs = 0;
    work()
      .then(() => this.#prune())
      .catch(error => {
        this.#asked = true;
        pauseMs = AGAIN_MS;
        onFault(error);
      })
      .finally(() => {
        this.#looking = false;
        if (this.#asked) this.#clock.after(pauseMs, again);
      });
  }

  /** What could be looked at has been: it goes on as a new attempt or has ended. */
  #prune(): void {
    for (const [id, seen] of this.#known)
      if (seen !== 'flying' && seen < this.#caughtUp) this.#known.delete(id);
  }
}
