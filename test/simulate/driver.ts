import type { Channels, Driven } from '../../src/channels/index.ts';
import type { Lease, Leases } from '../../src/kernel/index.ts';
import type { Books } from '../../src/messages/book/index.ts';
import type { ReceiptIntake } from '../../src/messages/receipts.ts';
import { findLate, type Settling } from '../../src/messages/settle.ts';
import type { HttpProvider } from './http.ts';
import type { LinkedProvider, Socket } from './linked.ts';
import type { Channel } from './node.ts';
import type { Process } from './process.ts';
import type { Word } from './provider.ts';
import type { Transaction } from './store.ts';
import type { LeaseRecord, MemoryDatabase } from './tables.ts';
import type { World } from './world.ts';

type Parts = {
  world: World;
  process: Process;
  leases: Leases;
  channels: readonly Channel[];
  linked: LinkedProvider;
  http: HttpProvider;
  db: MemoryDatabase;
  carry: <T>(work: (tx: Transaction) => Promise<T> | T) => Promise<T>;
};

type Place = {
  channel: Channel;
  lease: Lease;
  driven: Driven | undefined;
  socket: Socket | undefined;
  isCaughtUp: boolean;
  /** Counts the connections of this process, over all channels. */
  openings: number;
};

export type Sinks = { books: Books; settling: Settling; receipts: ReceiptIntake };

/** The channels of one process: takes leases, connects, stores what comes in, lets go when a lease is lost. */
export class Driver implements Channels {
  readonly #parts: Parts;
  readonly #places = new Map<string, Place>();
  readonly #taking = new Set<string>();
  readonly #onChange = new Set<() => void>();
  readonly #onCaughtUp = new Set<(channelId: string) => void>();
  #sinks: Sinks | undefined;
  #isStopped = false;
  #openings = 0;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  get drivesAny(): boolean {
    return [...this.#places.values()].some(({ driven }) => driven?.caughtUp());
  }

  start(sinks: Sinks): void {
    this.#sinks = sinks;
    this.#parts.process.wake.on('leases', () => this.#look());
    this.#lookForEver();
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    for (const place of [...this.#places.values()]) this.#letGo(place);
  }

  /** The sockets of a process that is gone are closed by its machine. */
  die(): void {
    for (const { socket } of this.#places.values()) socket?.abandon();
  }

  driven(): Driven[] {
    return [...this.#places.values()].flatMap(({ driven }) => driven ?? []);
  }

  drivenById(channelId: string): Driven | undefined {
    return this.#places.get(channelId)?.driven;
  }

  onChange(listener: () => void): () => void {
    this.#onChange.add(listener);
    return () => this.#onChange.delete(listener);
  }

  onCaughtUp(listener: (channelId: string) => void): () => void {
    this.#onCaughtUp.add(listener);
    return () => this.#onCaughtUp.delete(listener);
  }

  /** The simulation's books prove leases by rows of their own. */
  stillDriven(): Promise<Driven[]> {
    throw new Error('Not over SQL.');
  }

  prove(driven: Driven[], rows: Map<string, LeaseRecord>): Driven[] {
    return driven.filter(({ channelId, fence }) => {
      const row = rows.get(channelId);
      const lease = this.#places.get(channelId)?.lease;
      return lease?.held() && row?.holder === this.#parts.process.bootId && row.fence === fence;
    });
  }

  #lookForEver(): void {
    if (this.#isStopped) return;
    this.#look();
    this.#parts.process.clock.after(1_000, () => this.#lookForEver());
  }

  #look(): void {
    if (this.#isStopped) return;
    for (const channel of this.#parts.channels) {
      if (this.#places.has(channel.id) || this.#taking.has(channel.id)) continue;
      this.#taking.add(channel.id);
      this.#take(channel)
        .catch(() => undefined)
        .finally(() => this.#taking.delete(channel.id));
    }
  }

  async #take(channel: Channel): Promise<void> {
    const lease = await this.#parts.leases.acquire(`channel:${channel.id}`);
    if (!lease) return;
    const place: Place = {
      channel,
      lease,
      driven: undefined,
      socket: undefined,
      isCaughtUp: false,
      openings: 0,
    };
    const { world, process } = this.#parts;
    world.note(process.bootId, () => `drives ${channel.id} under fence ${lease.fence}`);
    this.#places.set(channel.id, place);
    lease.lost.addEventListener('abort', () => this.#lost(place), { once: true });
    if (this.#isStopped || lease.lost.aborted) this.#letGo(place);
    else this.#connect(place);
  }

  #letGo(place: Place): void {
    place.lease.release().catch(() => undefined);
    this.#lost(place);
  }

  #lost(place: Place): void {
    if (this.#places.get(place.channel.id) !== place) return;
    const { world, process } = this.#parts;
    world.note(process.bootId, () => `lets go of ${place.channel.id}`);
    this.#places.delete(place.channel.id);
    place.socket?.close();
    place.driven = undefined;
    this.#changed();
  }

  #connect(place: Place): void {
    if (place.channel.kind === 'http') {
      this.#connectHttp(place);
      return;
    }
    const { linked, process, world } = this.#parts;
    const socket = linked.connect(process, place.channel.id, () => place.lease.held(), {
      opened: () => this.#opened(place, socket),
      closed: () => {
        world.note(process.bootId, () => `has lost its connection for ${place.channel.id}`);
        place.driven = undefined;
        place.isCaughtUp = false;
        this.#tell(place, 'waiting');
        this.#changed();
        process.clock.after(world.random.between(100, 2_000), () => this.#again(place));
      },
      word: word => this.#store(place, word),
      brought: () => {
        place.isCaughtUp = true;
        world.note(process.bootId, () => `has caught up on ${place.channel.id}`);
        for (const listener of this.#onCaughtUp) listener(place.channel.id);
      },
    });
    place.socket = socket;
  }

  #again(place: Place): void {
    if (this.#places.get(place.channel.id) === place && place.lease.held()) this.#connect(place);
  }

  #opened(place: Place, socket: Socket): void {
    if (this.#places.get(place.channel.id) !== place) return;
    place.openings = ++this.#openings;
    this.#drive(place, socket.connection, () => place.isCaughtUp);
    this.#tell(place, 'connected');
    this.#changed();
  }

  #connectHttp(place: Place): void {
    const { http, process } = this.#parts;
    const { id } = place.channel;
    place.openings = ++this.#openings;
    this.#drive(
      place,
      http.connection(process, id, () => place.lease.held()),
      () => place.isCaughtUp,
    );
    http.deliver(process, id, word => this.#store(place, word));
    this.#tell(place, 'connected');
    place.isCaughtUp = true;
    this.#changed();
    for (const listener of this.#onCaughtUp) listener(id);
  }

  #drive(place: Place, connection: Driven['connection'], caughtUp: () => boolean): void {
    const { channel, lease } = place;
    place.driven = {
      workspaceId: channel.workspaceId,
      channelId: channel.id,
      adapter: channel.adapter,
      connection,
      fence: lease.fence,
      held: () => lease.held(),
      caughtUp,
      opening: () => place.openings,
    };
  }

  async #store(place: Place, word: Word): Promise<void> {
    const { books, settling, receipts } = this.#sinks as Sinks;
    const { workspaceId, id: channelId, adapter } = place.channel;
    if ('receipt' in word) return receipts.add({ workspaceId, channelId, fact: word.receipt });
    const { answerMeans } = adapter.capabilities;
    const found = await findLate(books, { workspaceId, channelId, answerMeans }, [word.late]);
    await Promise.all(found.map(settlement => settling.add(settlement)));
  }

  #tell(place: Place, status: string): void {
    const { carry, db } = this.#parts;
    carry(tx => tx.put(db.channels, place.channel.id, { status, statusAt: tx.now })).catch(() => undefined);
  }

  #changed(): void {
    for (const listener of this.#onChange) listener();
  }
}
