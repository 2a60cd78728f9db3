import type { Clock } from '../kernel/index.ts';

/** So far apart two clocks may drift while one waits; a wall clock that is farther behind was set back. */
const DRIFT_MS = 50;

/**
 * Resolves at the instant, never before: timers fire up to 1 ms early, so the last moment goes turn by turn. How long
 * it takes is settled at the start, so a wall clock that is set back meanwhile holds up nobody; one that only runs a
 * little slower than the steady one is waited for.
 */
export async function untilInstant(clock: Clock, at: Date): Promise<void> {
  const end = clock.monotonic() + at.getTime() - clock.now().getTime();
  for (;;) {
    const left = at.getTime() - clock.now().getTime();
    const steady = end - clock.monotonic();
    if (left <= 0 || (steady <= 0 && left > DRIFT_MS)) return;
    const wait = steady > 0 ? Math.min(left, steady) : left;
    await new Promise<void>(resolve => {
      if (wait > 1) clock.after(wait - 1, resolve);
      else clock.soon(resolve);
    });
  }
}
