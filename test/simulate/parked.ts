import type { Parked } from '../../src/messages/parking/parked.ts';
import type { Process } from './process.ts';
import type { Transaction } from './store.ts';
import type { MemoryDatabase } from './tables.ts';

const LOOK_MS = 5_000;

/** What a process knows to be parked: it looks when it is woken, and now and then by itself. */
export class SimulatedParked implements Pick<Parked, 'holds' | 'onChange'> {
  readonly #process: Process;
  readonly #look: () => Promise<Set<string>>;
  readonly #listeners = new Set<() => void>();
  #known = new Set<string>();

  constructor(
    process: Process,
    db: MemoryDatabase,
    carry: <T>(work: (tx: Transaction) => Promise<T> | T) => Promise<T>,
  ) {
    this.#process = process;
    this.#look = () => carry(tx => new Set(tx.all(db.parkings).keys()));
  }

  start(): void {
    this.#process.wake.on('parking', () => void this.#refresh());
    this.#again();
  }

  holds({ channelId }: { channelId: string }): boolean {
    return this.#known.has(channelId);
  }

  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  #again(): void {
    void this.#refresh();
    this.#process.clock.after(LOOK_MS, () => this.#again());
  }

  async #refresh(): Promise<void> {
    const known = await this.#look().catch(() => this.#known);
    const changed = [...known].sort().join() !== [...this.#known].sort().join();
    this.#known = known;
    if (changed) for (const listener of this.#listeners) listener();
  }
}
