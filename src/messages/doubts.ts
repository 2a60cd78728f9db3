import type { SendOutcome } from '../channels/index.ts';
import type { Clock } from '../kernel/index.ts';

/** Nobody has to wait for a new connect before this one is looked at. */
const ANY_TIME = -1;

/**
 * What one process knows of the attempts of one channel that nobody has an answer to. Silence proves something only
 * after the provider has handed over, on a newer connection, all that waited; connections are counted for that.
 */
export class Doubts {
  /** Attempts under way, and such whose answer never came with the connection that they were sent on. */
  readonly #known = new Map<string, number | 'flying'>();
  readonly #clock: Clock;
  #connections = 0;
  #caughtUp = false;
  #asked = false;
  #looking = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** A connection has caught up. */
  caughtUp(): void {
    this.#connections += 1;
    this.#caughtUp = true;
    this.#asked = true;
  }

  /** Something that kept messages from being sent again is over. */
  askAgain(): void {
    this.#asked = true;
  }

  /** The same for whoever missed the moment. */
  look(caughtUp: boolean): void {
    if (caughtUp && !this.#caughtUp) this.caughtUp();
    this.#caughtUp = caughtUp;
  }

  launched(attemptId: string): void {
    this.#known.set(attemptId, 'flying');
  }

  /** After which connection the attempt may be looked at; to be asked when its answer, or none, is in. */
  answered(outcome: SendOutcome): number {
    return outcome.outcome === 'unknown' ? this.#connections : ANY_TIME;
  }

  /** Its answer is stored, but what became of the message is still open. */
  remember(attemptId: string, seen: number): void {
    this.#known.set(attemptId, seen);
    if (seen < this.#connections && this.#caughtUp) this.#asked = true;
  }

  forget(attemptId: string): void {
    this.#known.delete(attemptId);
  }

  /** An attempt that this process knows nothing of was begun by one that is gone. */
  awaits(attemptId: string): boolean {
    const seen = this.#known.get(attemptId);
    if (seen === undefined) return false;
    return seen === 'flying' || seen >= this.#connections;
  }

  /** Runs `work` when there is something to clear up; one at a time, and again when it was asked for meanwhile. */
  clearUp(work: () => Promise<void>, onFault: (error: unknown) => void): void {
    if (!this.#asked || this.#looking) return;
    this.#asked = false;
    this.#looking = true;
    work()
      .then(() => this.#prune())
      .catch(error => {
        this.#asked = true;
        onFault(error);
      })
      .finally(() => {
        this.#looking = false;
        if (this.#asked) this.#clock.after(AGAIN_MS, () => this.clearUp(work, onFault));
      });
  }

  /** What could be looked at has been: it goes on as a new attempt or has ended. */
  #prune(): void {
    for (const [id, seen] of this.#known)
      if (seen !== 'flying' && seen < this.#connections) this.#known.delete(id);
  }
}

const AGAIN_MS = 1_000;
