import { Heap } from '../../src/kernel/heap.ts';
import { Random } from './random.ts';

/** Something that must never happen has happened. */
export class Violation extends Error {}

const MOST_STEPS = 150_000;

type Event = { at: number; order: number; run: () => void; off: boolean };

/** Where virtual time begins. */
export const EPOCH = Date.UTC(2031, 0, 1);

/**
 * Virtual time and everything that happens in it. Whatever takes time – a message to the database, a timer, a
 * person's next move – is an event at an instant drawn from the seed, so the seed decides every interleaving.
 * Between two events all promises that are ready run to their end.
 */
export class World {
  readonly random: Random;
  readonly #events = new Heap<Event>((a, b) => a.at < b.at || (a.at === b.at && a.order < b.order));
  readonly #lines: string[] | undefined;
  readonly #keepSteps: boolean;
  #now = 0;
  steps = 0;
  violation: Violation | undefined;

  constructor(seed: number, { history = false }: { history?: boolean } = {}) {
    this.random = new Random(seed);
    this.#lines = history ? [] : undefined;
    this.#keepSteps = history;
  }

  /** Virtual ms since the beginning. */
  get now(): number {
    return this.#now;
  }

  /** The true time, which is also the database's. */
  date(): Date {
    return new Date(Math.floor(EPOCH + this.#now));
  }

  after(ms: number, run: () => void): () => void {
    const event = { at: this.#now + Math.max(0, ms), order: this.random.unit(), run, off: false };
    this.#events.push(event);
    return () => {
      event.off = true;
    };
  }

  pause(ms: number): Promise<void> {
    return new Promise(resolve => this.after(ms, resolve));
  }

  /** A line of the history; put together only when somebody will read it. */
  note(who: string, what: () => string): void {
    if (!this.#keepSteps) return;
    this.#lines?.push(`${(this.#now / 1000).toFixed(3).padStart(9)}  ${who.padEnd(9)} ${what()}`);
  }

  history(): string {
    return this.#lines?.join('\n') ?? '';
  }

  /** The first one counts; nothing happens after it. */
  violate(what: string): void {
    if (this.violation) return;
    this.violation = new Violation(what);
    this.note('CHECK', () => what);
  }

  /** Lets time pass until `untilMs`, or until `isOver` says so after a step. */
  async run(untilMs: number, isOver: () => boolean = () => false): Promise<void> {
    for (;;) {
      const next = this.#events.peek();
      if (!next || next.at > untilMs || this.violation) break;
      this.#events.pop();
      if (next.off) continue;
      this.#now = next.at;
      this.steps += 1;
      if (this.steps > MOST_STEPS) this.violate(`something goes round in circles: ${MOST_STEPS} steps`);
      next.run();
      await quiet();
      if (isOver()) return;
    }
    if (!this.violation) this.#now = Math.max(this.#now, untilMs);
  }
}

/** All promises that are ready have run once the event loop turns. */
function quiet(): Promise<void> {
  return new Promise(resolve => setImmediate(resolve));
}
