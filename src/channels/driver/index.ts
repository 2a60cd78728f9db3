/**
 * channels/driver – makes true what is wanted of the channels, one node per channel.
 * Owns: the leases `channel:<id>`, the connections of this node, and what it writes about them: status, pairing
 *   steps, groups, intake.
 * Promises: a channel has at most one connection; what a lost lease or an older wish brings is written nowhere;
 *   a connection is closed before its lease ends.
 * Never: decides what people want, or what is sent.
 * Called by: main, which starts it and gives the rooms to the right as its ports.
 */
import { sql } from 'kysely';
import { type Kernel, type Leases, outsideTransaction, stillHeld, type Tx } from '../../kernel/index.ts';
import type { Adapter } from '../adapters/contract.ts';
import type { Wanted } from '../policy.ts';
import type { Channels, Driven, InboundSink, OutboundPayloads } from '../ports.ts';
import { Drive } from './drive.ts';
import type { Ports } from './report.ts';
import type { Goal } from './rows.ts';

export type ChannelsOptions = {
  leases: Leases;
  adapters: Adapter[];
  /** How often to look without having been woken. */
  lookMs?: number;
};

export type RunningChannels = Channels & {
  /** Where inbound messages and receipts go and where payloads come from; before `start`. */
  plug(ports: { sink: InboundSink; payloads: OutboundPayloads }): void;
  /** Takes over what is wanted and not driven; returns after the first look. */
  start(): Promise<void>;
  /** Closes all connections of this node and gives their leases back. */
  stop(): Promise<void>;
};

const LOOK_MS = 1_000;

type Row = {
  workspace_id: string;
  id: string;
  kind: string;
  wanted: Wanted;
  generation: number;
  rests: boolean;
  free: boolean;
};

/** The channels of this node. Only connected ones are `driven`. */
export function createChannels(kernel: Kernel, options: ChannelsOptions): RunningChannels {
  return new Driver(kernel, options);
}

class Driver implements RunningChannels {
  readonly #kernel: Kernel;
  readonly #leases: Leases;
  readonly #adapters: Map<string, Adapter>;
  readonly #lookMs: number;
  readonly #drives = new Map<string, Drive>();
  readonly #listeners = new Set<() => void>();
  readonly #catchUpListeners = new Set<(channelId: string) => void>();
  #ports: Ports = unplugged;
  #deaf: (() => void)[] = [];
  #timer: NodeJS.Timeout | undefined;
  #looking: Promise<void> | undefined;
  #again = false;
  #stopped = false;

  constructor(kernel: Kernel, { leases, adapters, lookMs }: ChannelsOptions) {
    this.#kernel = kernel;
    this.#leases = leases;
    this.#adapters = new Map(adapters.map(adapter => [adapter.kind, adapter]));
    this.#lookMs = lookMs ?? LOOK_MS;
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
      wake.on('groups', channelId => this.#refreshGroups(channelId)),
    ];
    this.#timer = outsideTransaction(() => setInterval(() => void this.#look(), this.#lookMs));
    await this.#look();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    clearInterval(this.#timer);
    for (const deaf of this.#deaf) deaf();
    await this.#looking;
    await Promise.all([...this.#drives.values()].map(drive => drive.stop()));
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
        for (const row of await this.#read()) await this.#follow(row);
      } catch (error) {
        this.#kernel.log.warn({ event: 'channels.look_failed', err: error });
      }
    }
    this.#looking = undefined;
  }

  async #follow(row: Row): Promise<void> {
    const goal: Goal = { wanted: row.wanted, generation: row.generation, rests: row.rests };
    const drive = this.#drives.get(row.id);
    if (drive) {
      drive.aim(goal);
      return;
    }
    const adapter = this.#adapters.get(row.kind);
    if (!adapter || !row.free || this.#stopped) return;
    const lease = await this.#leases.acquire(`channel:${row.id}`);
    if (!lease) return;
    const place = { kernel: this.#kernel, workspaceId: row.workspace_id, channelId: row.id, lease };
    const begun = new Drive(place, adapter, goal, this.#ports, {
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

  /** Channels of which something is wanted that is not so yet or has to be kept so, or that left something behind. */
  #read(): Promise<Row[]> {
    const { graceMs } = this.#leases.times;
    return this.#kernel.database.inEngine('channels.look', async tx => {
      const { rows } = await sql<Row>`
        select c.workspace_id, c.id, c.kind, c.wanted, c.generation, not look.is_due as rests,
          not exists (select from leases l where l.name = 'channel:' || c.id and l.holder is not null
            and l.expires_at > now() - ${graceMs}::float8 * interval '1 millisecond') as free
        from channels c
        cross join lateral (
          select case c.wanted
            when 'connected' then c.status <> 'failed' or coalesce(c.status_until <= now(), false)
            when 'pairing' then true
            else c.status <> 'unpaired' or exists (
              select from channel_credentials k where k.workspace_id = c.workspace_id and k.channel_id = c.id)
            end as is_due
        ) look
        where look.is_due or exists (
          select from intake_pending p where p.workspace_id = c.workspace_id and p.channel_id = c.id)
        order by c.id
      `.execute(tx);
      return rows;
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

/** Until main has plugged the rooms to the right: what comes in is stored and goes no further. */
const unplugged: Ports = {
  sink: {
    inbound: async () => undefined,
    receipts: async () => undefined,
    late: async () => undefined,
  },
  payloads: { payloadOf: async () => undefined },
};
