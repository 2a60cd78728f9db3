import type { BaileysEventMap } from 'baileys';

export type TimeLock = NonNullable<BaileysEventMap['connection.update']['reachoutTimeLock']>;

const ASK_AGAIN_MS = { least: 60_000, most: 3_600_000 };

/**
 * WhatsApp keeps the number from starting new chats for a while. Remembers it for one connection and asks again when
 * it should be over, with one timer however often it is told.
 */
export class Restriction {
  readonly #ask: () => void;
  #now: { until: Date | undefined } | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(ask: () => void) {
    this.#ask = ask;
  }

  /** Undefined = none; an end that WhatsApp does not name is not known. */
  get now(): { until: Date | undefined } | undefined {
    return this.#now;
  }

  /** Returns whether anything is different now. */
  told({ isActive, timeEnforcementEnds }: TimeLock): boolean {
    const before = this.#now;
    this.forget();
    if (!isActive) return before !== undefined;
    const until = timeEnforcementEnds && isInstant(timeEnforcementEnds) ? timeEnforcementEnds : undefined;
    this.#now = { until };
    const leftMs = (until?.getTime() ?? 0) - Date.now();
    this.#timer = setTimeout(this.#ask, Math.min(Math.max(leftMs, ASK_AGAIN_MS.least), ASK_AGAIN_MS.most));
    this.#timer.unref();
    return before === undefined || before.until?.getTime() !== until?.getTime();
  }

  /** A new socket is told anew. */
  forget(): void {
    clearTimeout(this.#timer);
    this.#now = undefined;
  }
}

function isInstant(date: Date): boolean {
  return Number.isFinite(date.getTime());
}
