import type {
  Adapter,
  Capabilities,
  Channels,
  Connection,
  Driven,
  SendOutcome,
  Wire,
} from '../../src/channels/index.ts';
import { declareKind } from '../../src/channels/index.ts';
import { inWorkspace, newId, type Scope, type Tx } from '../../src/kernel/index.ts';

/** What really reached the far end, written by the far end itself. */
export type Arrived = { channelId: string; providerId: string; to: string; text: string; at: number };

/** What the far end answers; the default accepts at once. */
export type Script = (wire: Wire, deadline: Date) => SendOutcome | Promise<SendOutcome>;

const KIND = 'scripted';

export const scriptedCapabilities: Capabilities = {
  content: ['text'],
  textLimit: 1_000,
  groups: true,
  pairing: [],
  providerId: 'ours',
  answerMeans: 'sent',
  transport: 'socket',
};

export const accept: Script = wire => ({ outcome: 'accepted', at: new Date(), providerId: wire.providerId });

/**
 * A provider in memory behind the real adapter contract: it keeps its own ledger and answers by script.
 * Several nodes may share one, as they share a provider.
 */
export class ScriptedProvider {
  readonly arrived: Arrived[] = [];
  readonly adapter: Adapter;
  script: Script = accept;
  #ids = 0;

  constructor(capabilities: Capabilities = scriptedCapabilities) {
    declareKind(KIND, capabilities);
    this.adapter = {
      kind: KIND,
      capabilities,
      connect: () => this.connectionOf(''),
      linkedAccount: async () => undefined,
      newProviderId: () => `S${process.pid}.${++this.#ids}.${newId()}`,
      address: target => (target.kind === 'group' ? target.providerId : `tel:${target.phone}`),
      encode: content => Buffer.from(content.text.body),
      parse: raw => [{ kind: 'unrecognised', key: raw.key }],
    };
  }

  connectionOf(channelId: string): Connection {
    return {
      send: async (wire, deadline) => {
        const text = Buffer.from(wire.payload).toString('utf8');
        this.arrived.push({ channelId, providerId: wire.providerId, to: wire.to, text, at: Date.now() });
        return this.script(wire, deadline);
      },
      close: async () => undefined,
    };
  }

  texts(): string[] {
    return this.arrived.map(message => message.text);
  }
}

export type Provider = { adapter: Adapter; connectionOf(channelId: string): Connection };

/** The channels that one node drives, switched by the test. */
export class ScriptedChannels implements Channels {
  readonly #driven = new Map<string, Driven>();
  readonly #listeners = new Set<() => void>();
  readonly #catchUpListeners = new Set<(channelId: string) => void>();
  readonly #caughtUp = new Set<string>();
  #openings = 0;

  driven(): Driven[] {
    return [...this.#driven.values()];
  }

  drivenById(channelId: string): Driven | undefined {
    return this.#driven.get(channelId);
  }

  async stillDriven(_tx: Tx, driven: Driven[]): Promise<Driven[]> {
    return driven.filter(one => one.held());
  }

  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  onCaughtUp(listener: (channelId: string) => void): () => void {
    this.#catchUpListeners.add(listener);
    return () => this.#catchUpListeners.delete(listener);
  }

  /** Caught up at once; with `behind` only when `catchUp` says so. */
  connect(
    provider: Provider,
    scope: Scope,
    channelId: string,
    fence = 1,
    { behind = false }: { behind?: boolean } = {},
  ): void {
    this.#caughtUp.delete(channelId);
    const opening = ++this.#openings;
    const driven: Driven = {
      workspaceId: scope.workspaceId,
      channelId,
      adapter: provider.adapter,
      connection: provider.connectionOf(channelId),
      fence,
      held: () => this.#driven.get(channelId) === driven,
      caughtUp: () => this.#driven.get(channelId) === driven && this.#caughtUp.has(channelId),
      opening: () => opening,
    };
    this.#driven.set(channelId, driven);
    for (const listener of this.#listeners) listener();
    if (!behind) this.catchUp(channelId);
  }

  /** All that the far end had kept for the channel is stored. */
  catchUp(channelId: string): void {
    this.#caughtUp.add(channelId);
    for (const listener of this.#catchUpListeners) listener(channelId);
  }

  disconnect(channelId: string): void {
    this.#driven.delete(channelId);
    this.#caughtUp.delete(channelId);
    for (const listener of this.#listeners) listener();
  }
}

/** A row of a scripted channel in the workspace; returns its id. */
export async function scriptedChannel(scope: Scope): Promise<string> {
  const id = newId();
  await inWorkspace(scope, tx =>
    tx
      .insertInto('channels')
      .values({ workspace_id: scope.workspaceId, id, kind: KIND, label: 'Scripted', status: 'connected' })
      .execute(),
  );
  return id;
}

/** A group of the channel with so many members, ourselves included; returns its id. */
export async function scriptedGroup(scope: Scope, channelId: string, size: number): Promise<string> {
  const id = newId();
  await inWorkspace(scope, tx =>
    tx
      .insertInto('groups')
      .values({
        workspace_id: scope.workspaceId,
        id,
        channel_id: channelId,
        provider_id: `group:${id}`,
        subject: 'Choir',
        size,
      })
      .execute(),
  );
  return id;
}
