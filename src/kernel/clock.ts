/** Time as the program sees it. Tests bring their own. */
export type Clock = {
  /** Wall-clock instant. Jumps with the machine's clock. */
  now(): Date;
  /** Milliseconds that never go backwards, for deadlines and durations. */
  monotonic(): number;
};

export const systemClock: Clock = {
  now: () => new Date(),
  monotonic: () => performance.now(),
};
