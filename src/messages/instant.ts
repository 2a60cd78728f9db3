import type { Clock } from '../kernel/index.ts';

/**
 * Resolves at the instant, never before: timers fire up to 1 ms early, so the last moment goes turn by turn. How long
 * it takes is settled at the start, so a wall clock that is set back meanwhile holds up nobody.
 */
export async function untilInstant(clock: Clock, at: Date): Promise<void> {
  const end = clock.monotonic() + at.getTime() - clock.now().getTime();
  for (;;) {
    const wait = Math.min(at.getTime() - clock.now().getTime(), end - clock.monotonic());
    if (wait <= 0) return;
    await new Promise<void>(resolve => {
      if (wait > 1) clock.after(wait - 1, resolve);
      else clock.soon(resolve);
    });
  }
}
