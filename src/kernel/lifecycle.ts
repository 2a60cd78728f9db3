import type { Logger } from 'pino';

/** What has been started, to be stopped in the opposite order. */
export type Lifecycle = {
  /** `stop` is called once; its failure is logged and does not keep the others from stopping. */
  add(name: string, stop: () => unknown): void;
  /** Safe to call again: all callers wait for the same stop. */
  stop(): Promise<void>;
};

export function createLifecycle(log: Logger): Lifecycle {
  const parts: { name: string; stop: () => unknown }[] = [];
  let stopping: Promise<void> | undefined;
  const stopAll = async () => {
    for (const { name, stop } of parts.reverse()) {
      const from = performance.now();
      try {
        await stop();
        log.debug({ event: 'kernel.stop', part: name, ms: Math.round(performance.now() - from) });
      } catch (error) {
        log.error({ event: 'kernel.stop', part: name, err: error });
      }
    }
  };
  return {
    add: (name, stop) => {
      parts.push({ name, stop });
    },
    stop: () => {
      stopping ??= stopAll();
      return stopping;
    },
  };
}

const PATIENCE_MS = 30_000;

/** npm passes on a Ctrl-C that the terminal has already given to the program itself. */
const SAME_SIGNAL_MS = 500;

/**
 * On SIGTERM and SIGINT stops everything and exits with 0; with 1 when that takes longer than 30 s.
 * A second signal exits at once. To be called before the start, so that a signal during it is not lost.
 */
export function stopOnSignals(stop: () => Promise<void>, patienceMs = PATIENCE_MS): void {
  let askedAt: number | undefined;
  const onSignal = () => {
    if (askedAt !== undefined) {
      if (performance.now() - askedAt > SAME_SIGNAL_MS) process.exit(1);
      return;
    }
    askedAt = performance.now();
    setTimeout(() => {
      console.error(
        `Convoke did not stop within ${patienceMs / 1000} s and is ended now; nothing that was answered is lost.`,
      );
      process.exit(1);
    }, patienceMs).unref();
    stop().then(
      () => process.exit(0),
      error => {
        console.error(error);
        process.exit(1);
      },
    );
  };
  process.on('SIGTERM', onSignal);
  process.on('SIGINT', onSignal);
}

const PARENT_LOOK_MS = 250;

/**
 * For a program that npm has started: a SIGTERM to npm ends the shell between the two and does not get here.
 * When the parent has gone, the program signals itself.
 */
export function stopWithParent(): void {
  const parent = process.ppid;
  const timer = setInterval(() => {
    if (process.ppid === parent) return;
    clearInterval(timer);
    process.kill(process.pid, 'SIGTERM');
  }, PARENT_LOOK_MS);
  timer.unref();
}
