/**
 * channels/driver – makes true what is wanted of the channels, one node per channel.
 * Owns: the leases `channel:<id>`, the connections of this node, and what it writes about them: status, pairing
 *   steps, groups, intake.
 * Promises: a channel has at most one connection; what a lost lease or an older wish brings is written nowhere;
 *   a connection is closed before its lease ends.
 * Never: decides what people want, or what is sent.
 * Called by: main, which starts it and gives the rooms to the right as its ports.
 */
import {
  type Kernel,
  type Lease,
  type Leases,
  outsideTransaction,
  stillHeld,
  type Tx,
} from '../../kernel/index.ts';
import type { Adapter } from '../adapters/contract.ts';
import type { Place } from '../place.ts';
import type { Channels, ChannelVitals, Driven, InboundSink, OutboundPayloads } from '../ports.ts';
import { Drive } from './drive.ts';
import { LEASE_PREFIX, type LookRow, look, needsRoom, type Sight } from './look.ts';
import { NO_ROOM, tellNoRoom } from './no-room.ts';
import type { Ports } from './report.ts';
import type { Goal } from './rows.ts';
import { holdsFarTooMany, type Peer, sharesOf } from './spread.ts';

export type ChannelsOptions = {
  leases: Leases;
  adapters: Adapter[];
  /** How often to look without having been woken. */
  lookMs?: number;
  /** How often at most a channel is handed over to a node that has far fewer. */
  handOverMs?: number;
};

export type RunningChannels = Channels & {
  /** Where inbound messages and receipts go and where payloads come from; before `start`. */
  plug(ports: { sink: InboundSink; payloads: OutboundPayloads }): void;
  /** Takes over what is wanted and not driven; returns after the first look. */
  start(): Promise<void>;
  /** How the channels fare that this node drives. */
  vitals(): ChannelVitals[];
  /** Closes all connections of this node and gives their leases back. */
  stop(): Promise<void>;
};

const LOOK_MS = 1_000;

/** What another node should have taken within so many looks is taken by any that has room. */
const PATIENCE_LOOKS = 2;
const HAND_OVER_MS = 20_000;

/** The channels of this node. Only connected ones are `driven`. */
export function createChannels(kernel: Kernel, options: ChannelsOptions): RunningChannels {
  return new Driver(kernel, options);
}

class Driver implements RunningChannels {
  readonly #kernel: Kernel;
  readonly #leases: Leases;
  readonly #adapters: Map<string, Adapter>;
  readonly #lookMs: number;
  readonly #handOverMs: number;
  readonly #drives = new Map<string, Drive>();
  readonly #listeners = new Set<() => void>();
  readonly #catchUpListeners = new Set<(channelId: string) => void>();
  /** When channels that nobody drives were first seen so. */
  #freeSince = new Map<string, number>();
  #handedOverAt: number;
  #handingOver = false;
  #ports: Ports = unplugged;
  #deaf: (() => void)[] = [];
  #timer: NodeJS.Timeout | undefined;
  #looking: Promise<void> | undefined;
  #again = false;
  #stopped = false;

  constructor(kernel: Kernel, { leases, adapters, lookMs, handOverMs }: ChannelsOptions) {
    this.#kernel = kernel;
    this.#leases = leases;
    this.#adapters = new Map(adapters.map(adapter => [adapter.kind, adapter]));
    this.#lookMs = lookMs ?? LOOK_MS;
    this.#handOverMs = handOverMs ?? HAND_OVER_MS;
    this.#handedOverAt = kernel.clock.monotonic();
  }

  plug(ports: Ports): void {
    this.#ports = ports;
  }

  driven(): Driven[] {
    return [...this.#drives.values()].flatMap(drive => drive.driven ?? []);
  }

  drivenById(channelId: string): Driven | undefined {
    return this.#drives.get(channelId)?.driven;
  }

  vitals(): ChannelVitals[] {
    return [...this.#drives.values()].map(drive => drive.vitals);
  }

  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  onCaughtUp(listener: (channelId: string) => void): () => void {
    this.#catchUpListeners.add(listener);
    return () => this.#catchUpListeners.delete(listener);
  }

  async stillDriven(tx: Tx, driven: Driven[]): Promise<Driven[]> {
    const leases = driven.map(({ channelId, fence }) => {
      const lease = this.#drives.get(channelId)?.place.lease;
      return lease?.fence === fence ? lease : undefined;
    });
    const held = await stillHeld(
      tx,
      leases.flatMap(lease => lease ?? []),
    );
    return driven.filter((_, index) => {
      const lease = leases[index];
      return lease !== undefined && held.has(lease);
    });
  }

  async start(): Promise<void> {
    const { wake } = this.#kernel;
    this.#deaf = [
      wake.on('channels', () => void this.#look()),
      wake.on('leases', () => void this.#look()),
      wake.on('groups', channelId => this.#refreshGroups(channelId)),
    ];
    this.#timer = outsideTransaction(() => setInterval(() => void this.#look(), this.#lookMs));
    await this.#look();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    clearInterval(this.#timer);
    for (const deaf of this.#deaf) deaf();
    await Promise.all([this.#looking, ...[...this.#drives.values()].map(drive => drive.stop())]);
  }

  /** One look at a time; being called meanwhile means one more. */
  #look(): Promise<void> {
    this.#again = true;
    this.#looking ??= outsideTransaction(() => this.#lookWhileAsked());
    return this.#looking;
  }

  async #lookWhileAsked(): Promise<void> {
    while (this.#again && !this.#stopped) {
      this.#again = false;
      try {
        await this.#followAll(await look(this.#kernel, this.#leases.times));
      } catch (error) {
        this.#kernel.log.warn({ event: 'channels.look_failed', err: error });
      }
    }
    this.#looking = undefined;
  }

  async #followAll(sight: Sight): Promise<void> {
    const free = sight.rows.filter(row => row.free && !this.#drives.has(row.id));
    this.#noteFree(free);
    const peers = this.#peers(sight.peers);
    const stays = !sight.peers.some(peer => peer.leaving && peer.bootId === this.#kernel.node.bootId);
    const counted = free.filter(row => needsRoom(row)).map(row => row.id);
    const shares = sharesOf(counted, peers);
    for (const row of sight.rows) {
      const drive = this.#drives.get(row.id);
      if (drive) {
        drive.aim(goalOf(row));
        if (row.holds_inbound) drive.handOn();
      } else if (row.free && stays && !this.#stopped) await this.#consider(row, shares.get(row.id));
    }
    if (stays) this.#evenOut(peers);
  }

  /** This node as it knows itself, although its row may be late or missing. */
  #peers(seen: Sight['peers']): Peer[] {
    const { bootId } = this.#kernel.node;
    const limit = this.#kernel.config.maxChannelsPerNode;
    const others = seen.filter(peer => peer.bootId !== bootId && !peer.leaving);
    return [...others, { bootId, held: this.#drives.size, limit }];
  }

  #noteFree(free: LookRow[]): void {
    const now = this.#kernel.clock.monotonic();
    this.#freeSince = new Map(free.map(({ id }) => [id, this.#freeSince.get(id) ?? now]));
  }

  /** `taker` = the node that should have the channel; undefined when none has room. */
  async #consider(row: LookRow, taker: string | undefined): Promise<void> {
    const { clock, node, config } = this.#kernel;
    const waited = clock.monotonic() - (this.#freeSince.get(row.id) ?? clock.monotonic());
    const isLate = waited >= PATIENCE_LOOKS * this.#lookMs;
    const hasRoom = !needsRoom(row) || this.#drives.size < config.maxChannelsPerNode;
    if (hasRoom && (taker === node.bootId || !needsRoom(row) || isLate)) await this.#take(row);
    else if (!taker && isLate && row.status_reason !== NO_ROOM) await this.#tellNoRoom(row);
  }

  async #take(row: LookRow): Promise<void> {
    const adapter = this.#adapters.get(row.kind);
    const lease = adapter && (await this.#leases.acquire(leaseName(row)));
    if (!lease) return;
    if (this.#stopped) return lease.release();
    const begun = new Drive(this.#placeOf(row, lease), adapter, goalOf(row), this.#ports, {
      ready: () => this.#tellChange(),
      caughtUp: () => this.#tellCaughtUp(row.id),
    });
    this.#drives.set(row.id, begun);
    void begun.done.then(() => {
      this.#drives.delete(row.id);
      // What was wanted in the last moment finds no drive to tell.
      if (!this.#stopped) void this.#look();
    });
  }

  async #tellNoRoom(row: LookRow): Promise<void> {
    const lease = await this.#leases.acquire(leaseName(row));
    if (!lease) return;
    try {
      await tellNoRoom(this.#placeOf(row, lease), goalOf(row));
    } finally {
      await lease.release();
    }
  }

  #placeOf(row: LookRow, lease: Lease): Place {
    return { kernel: this.#kernel, workspaceId: row.workspace_id, channelId: row.id, lease };
  }

  /** Lets one channel go, the one taken last, when others are far idler. One at a time. */
  #evenOut(peers: Peer[]): void {
    const { clock, node } = this.#kernel;
    const isSoon = clock.monotonic() - this.#handedOverAt < this.#handOverMs;
    if (this.#handingOver || isSoon || this.#stopped || !holdsFarTooMany(node.bootId, peers)) return;
    const drive = [...this.#drives.values()].findLast(one => one.driven);
    if (!drive) return;
    this.#handingOver = true;
    const over = outsideTransaction(() => drive.handOver());
    void over.then(() => {
      this.#handedOverAt = clock.monotonic();
      this.#handingOver = false;
    });
  }

  #refreshGroups(channelId: string): void {
    const drives = channelId === '' ? [...this.#drives.values()] : [this.#drives.get(channelId)];
    for (const drive of drives) void drive?.refreshGroups();
  }

  #tellChange(): void {
    for (const listener of this.#listeners) listener();
  }

  #tellCaughtUp(channelId: string): void {
    for (const listener of this.#catchUpListeners) listener(channelId);
  }
}

function goalOf(row: LookRow): Goal {
  return { wanted: row.wanted, generation: row.generation, rests: row.rests };
}

function leaseName({ id }: LookRow): string {
  return `${LEASE_PREFIX}${id}`;
}

/** Until main has plugged the rooms to the right: what comes in is stored and goes no further. */
const unplugged: Ports = {
  sink: {
    inbound: async () => undefined,
    receipts: async () => undefined,
    late: async () => undefined,
  },
  payloads: { payloadOf: async () => undefined },
};
