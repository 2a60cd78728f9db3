import type { Clock } from '../kernel/index.ts';

/** Resolves at the instant, never before: timers fire up to 1 ms early, so the last moment goes turn by turn. */
export async function untilInstant(clock: Clock, at: Date): Promise<void> {
  for (;;) {
    const wait = at.getTime() - clock.now().getTime();
    if (wait <= 0) return;
    await new Promise<void>(resolve => {
      if (wait > 1) clock.after(wait - 1, resolve);
      else clock.soon(resolve);
    });
  }
}
