import type { Clock, Kernel, Wake } from '../../src/kernel/index.ts';
import type { Session } from './link.ts';
import type { World } from './world.ts';

/** How the clocks of a machine differ from the true time. */
export type MachineClock = { wallMs: number; steadyMs: number; jumps: boolean };

/**
 * One run of the program. All that reaches it comes through `post`: when it is gone nothing does, and while it is
 * stopped everything waits and then comes at once.
 */
export class Process {
  readonly bootId: string;
  readonly name: string;
  readonly clock: Clock;
  readonly wake: Wake;
  readonly machine: MachineClock;
  readonly sessions = new Set<Session>();
  readonly #world: World;
  readonly #listeners = new Map<string, Set<() => void>>();
  #backlog: (() => void)[] | undefined;
  isAlive = true;
  /** Since when it runs without having been stopped. */
  runsSince = 0;

  constructor(world: World, name: string, bootId: string, machine: MachineClock) {
    this.#world = world;
    this.machine = machine;
    this.name = name;
    this.bootId = bootId;
    this.clock = {
      now: () => new Date(world.date().getTime() + machine.wallMs),
      monotonic: () => world.now + machine.steadyMs,
      // As timers do: whole milliseconds, one at least, and a little late.
      after: (ms, callback) =>
        this.#later(Math.max(1, Math.trunc(ms)) + world.random.between(0, 1.5), callback),
      soon: callback => this.#later(world.random.between(0.05, 0.4), callback),
    };
    this.wake = {
      publish: () => {},
      on: (topic, callback) => {
        const known = this.#listeners.get(topic) ?? new Set();
        const listener = () => callback('');
        this.#listeners.set(topic, known.add(listener));
        return () => known.delete(listener);
      },
      start: async () => {},
      stop: async () => {},
    };
  }

  get isPaused(): boolean {
    return this.#backlog !== undefined;
  }

  post(callback: () => void): void {
    if (!this.isAlive) return;
    if (this.#backlog) this.#backlog.push(callback);
    else callback();
  }

  hear(topic: string): void {
    for (const listener of this.#listeners.get(topic) ?? []) listener();
  }

  pause(): void {
    this.#backlog ??= [];
  }

  /** What waited comes one after the other, each a step of its own. */
  goOn(): void {
    const backlog = this.#backlog ?? [];
    this.#backlog = undefined;
    this.runsSince = this.#world.now;
    backlog.forEach((callback, index) => {
      this.#world.after(index * 0.001, () => this.post(callback));
    });
  }

  /** Nothing of it is left but what it has sent; the database notices a while later. */
  kill(): void {
    this.isAlive = false;
    this.#backlog = undefined;
    this.#world.after(this.#world.random.between(1, 2_000), () => {
      for (const session of [...this.sessions]) session.abort();
    });
  }

  kernel(): Kernel {
    const say = (level: string) => (fields: { event?: string; err?: unknown }) => {
      const { event, err } = fields;
      const why = err instanceof Error ? `: ${err.message}` : '';
      this.#world.note(this.name, () => `log ${level} ${event}${why}`);
    };
    const log = { info: () => {}, warn: say('warn'), error: say('error') };
    return {
      clock: this.clock,
      random: () => this.#world.random.unit(),
      log,
      wake: this.wake,
      node: { id: this.name, bootId: this.bootId },
    } as unknown as Kernel;
  }

  #later(ms: number, callback: () => void): () => void {
    let off = false;
    const cancel = this.#world.after(ms, () =>
      this.post(() => {
        if (!off) callback();
      }),
    );
    return () => {
      off = true;
      cancel();
    };
  }
}
