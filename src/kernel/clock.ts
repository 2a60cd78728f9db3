/** Time as the program sees it. Tests bring their own. */
export type Clock = {
  /** Wall-clock instant. Jumps with the machine's clock. */
  now(): Date;
  /** Milliseconds that never go backwards, for deadlines and durations. */
  monotonic(): number;
  /** Calls back after so many ms, or up to 1 ms before; answers the way to call it off. Keeps no program running. */
  after(ms: number, callback: () => void): () => void;
  /** Calls back in the next turn, after what is ready has run; answers the way to call it off. */
  soon(callback: () => void): () => void;
};

export const systemClock: Clock = {
  now: () => new Date(),
  monotonic: () => performance.now(),
  after(ms, callback) {
    const timer = setTimeout(callback, ms).unref();
    return () => clearTimeout(timer);
  },
  soon(callback) {
    const turn = setImmediate(callback);
    return () => clearImmediate(turn);
  },
};
