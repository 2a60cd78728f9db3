import type { Scope, Tx } from '../kernel/index.ts';
import type { Adapter, Connection, Inbound, LateAnswer, ReceiptFact, Vitals } from './adapters/contract.ts';

/** A channel that this node drives and that can send right now. */
export type Driven = {
  workspaceId: string;
  channelId: string;
  adapter: Adapter;
  connection: Connection;
  /** Fence of the lease under which it is driven; stored with every attempt. */
  fence: number;
  /** Whether the lease is still ours by the local clock. */
  held(): boolean;
  /** Whether all that the provider had kept for this connection is stored: acks, echoes, receipts. */
  caughtUp(): boolean;
  /** Names the connection to the provider that stands now: each later one of this process has a higher number. */
  opening(): number;
};

/** What the outbox needs to know of the connections of this node. */
export type Channels = {
  driven(): Driven[];
  drivenById(channelId: string): Driven | undefined;
  /** Calls back when a channel begins or ceases to be able to send; returns the way to stop. */
  onChange(listener: () => void): () => void;
  /**
   * Calls back once per connection, when `caughtUp` becomes true; returns the way to stop. A channel that cannot
   * send at that moment is not driven yet: whoever waits for it looks at `caughtUp` on each change as well.
   */
  onCaughtUp(listener: (channelId: string) => void): () => void;
  /** Those whose lease is still ours by the database, which stays so until the end of the transaction. */
  stillDriven(tx: Tx, driven: Driven[]): Promise<Driven[]>;
};

/** How a channel fares that this node drives. */
export type ChannelVitals = {
  channelId: string;
  status: string;
  caughtUp: boolean;
  decryptFailures: number;
  deafSockets: number;
  caches: Vitals['caches'];
};

/** What comes in, handed on after it has been stored. Plugged by main with the messages room. */
export type InboundSink = {
  /**
   * Each message at least once and in the order in which it came, so that what was taken before has to be known by
   * its `key`. A rejection means not taken: it is brought again.
   */
  inbound(workspaceId: string, channelId: string, inbound: Inbound[]): Promise<void>;
  receipts(workspaceId: string, channelId: string, facts: ReceiptFact[]): Promise<void>;
  late(workspaceId: string, channelId: string, answers: LateAnswer[]): Promise<void>;
};

/** Answers a phone that could not read a message: the payload as it was sent. Plugged by main. */
export type OutboundPayloads = {
  payloadOf(workspaceId: string, channelId: string, providerId: string): Promise<Uint8Array | undefined>;
};

/** Ends what the rooms to the right have planned on a channel, in the transaction that removes it. Plugged by main. */
export type ChannelRemoval = (tx: Tx, scope: Scope, channelId: string) => Promise<void>;
