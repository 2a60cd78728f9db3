import type { Driven } from '../../channels/index.ts';
import { afterCommit, type Kernel, outsideTransaction, type Tx } from '../../kernel/index.ts';
import type { Guard, Verdict } from '../guards.ts';
import { parkedAmong } from './rows.ts';

/** Woken after every change; details are of no use. */
export const PARKING = 'parking';

/** A wake-up may be lost. Until the next look only the guard keeps what was parked. */
const LOOK_MS = 5_000;

type Known = { instance: boolean; workspaces: Set<string>; channels: Set<string> };

/**
 * What is parked, as this node knows it, so that nothing of it is claimed in vain. The guard asks the database in
 * the transaction that lets deliveries enter the wire, and has the last word.
 */
export class Parked {
  readonly #kernel: Kernel;
  readonly #listeners = new Set<() => void>();
  #known: Known = { instance: false, workspaces: new Set(), channels: new Set() };
  #looking: Promise<void> | undefined;
  #again = false;
  #lookNoMore = () => {};
  #deaf: (() => void) | undefined;

  constructor(kernel: Kernel) {
    this.#kernel = kernel;
  }

  start(): void {
    this.#deaf = this.#kernel.wake.on(PARKING, () => void this.#look());
    this.#lookAgain();
    void this.#look();
  }

  async stop(): Promise<void> {
    this.#deaf?.();
    this.#lookNoMore();
    await this.#looking;
  }

  holds({ workspaceId, channelId }: Pick<Driven, 'workspaceId' | 'channelId'>): boolean {
    const { instance, workspaces, channels } = this.#known;
    return instance || workspaces.has(workspaceId) || channels.has(channelId);
  }

  /** Calls back when something was parked or armed; returns the way to stop. */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  readonly guard: Guard = async (tx, of): Promise<Map<string, Verdict>> => {
    const parked = await parkedAmong(tx, of);
    if (parked.size > 0) afterCommit(() => this.#heard(parked));
    return new Map(
      of.flatMap(({ deliveryId, channelId }) =>
        parked.has(channelId) ? [[deliveryId, { hold: 'parked' }] as const] : [],
      ),
    );
  };

  #lookAgain(): void {
    this.#lookNoMore = this.#kernel.clock.after(LOOK_MS, () => {
      void this.#look();
      this.#lookAgain();
    });
  }

  /** The guard was first to know. */
  #heard(channelIds: Set<string>): void {
    for (const id of channelIds) this.#known.channels.add(id);
    this.#tell();
    void this.#look();
  }

  /** One look at a time; being called meanwhile means one more. */
  #look(): Promise<void> {
    this.#again = true;
    this.#looking ??= outsideTransaction(() => this.#lookWhileAsked());
    return this.#looking;
  }

  async #lookWhileAsked(): Promise<void> {
    while (this.#again) {
      this.#again = false;
      try {
        const known = await this.#kernel.database.inEngine('messages.parked', readParked);
        const changed = !isSame(known, this.#known);
        this.#known = known;
        if (changed) this.#tell();
      } catch (error) {
        this.#kernel.log.warn({ event: 'messages.parked', err: error }, 'the look at parkings failed');
      }
    }
    this.#looking = undefined;
  }

  #tell(): void {
    for (const listener of this.#listeners) listener();
  }
}

async function readParked(tx: Tx): Promise<Known> {
  const rows = await tx.selectFrom('parkings').select(['workspace_id', 'channel_id']).execute();
  const instance = await tx.selectFrom('instance_parking').select('id').executeTakeFirst();
  return {
    instance: instance !== undefined,
    workspaces: new Set(rows.flatMap(row => (row.channel_id === null ? [row.workspace_id] : []))),
    channels: new Set(rows.flatMap(row => row.channel_id ?? [])),
  };
}

function isSame(a: Known, b: Known): boolean {
  return a.instance === b.instance && isEqual(a.workspaces, b.workspaces) && isEqual(a.channels, b.channels);
}

function isEqual(a: Set<string>, b: Set<string>): boolean {
  return a.size === b.size && [...a].every(id => b.has(id));
}
