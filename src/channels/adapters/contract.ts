/**
 * All that the house knows of a provider. An adapter never throws for an outcome that can be
 * expected, never touches the database, and keeps the ids of its provider to itself.
 */
import type { Identity } from '../../contacts/index.ts';
import type { Content } from '../../kernel/index.ts';

export type Capabilities = {
  readonly content: readonly 'text'[];
  readonly textLimit: number;
  readonly groups: boolean;
  readonly pairing: readonly ('qr' | 'code')[];
  /** `ours` = a re-send may carry the same id; `theirs` = an ambiguous send stays unknown. */
  readonly providerId: 'ours' | 'theirs';
  /** What a positive answer to `send` means: on its way to the recipient, or taken to be forwarded. */
  readonly answerMeans: 'sent' | 'accepted';
  readonly transport: 'socket' | 'http';
  /** How fast such a channel may send without looking like a machine; absent = as fast as it can. */
  readonly pacing?: PacingAdvice;
};

/** See docs/PACING.md. */
export type PacingAdvice = {
  /** On average; the gaps are drawn. */
  readonly messagesPerMinute: number;
  /** So many may go at once after a pause. */
  readonly burst: number;
  readonly groupsPerMinute: number;
  readonly groupBurst: number;
  /** People who have neither written to the channel nor were written to by it before. */
  readonly newPeoplePerDay: number;
  /** A channel starts with `warmUpFrom` of them on the day when it was paired, and reaches the limit after so many. */
  readonly warmUpDays: number;
  readonly warmUpFrom: number;
};

export type WireTarget = { kind: 'group'; providerId: string } | { kind: 'phone'; phone: string };

/** What enters the wire. Derived once, stored, and relayed unchanged ever after. */
export type Wire = {
  /** Our id for it where `capabilities.providerId` is `ours`. */
  providerId: string;
  /** Recipient in the provider's own form, made by `Adapter.address`. */
  to: string;
  /** Made by `Adapter.encode`. */
  payload: Uint8Array;
  /** The answer to the recipient's own STOP or START: it alone goes also to somebody who has opted out. */
  answersOptOut?: boolean;
};

export type SendOutcome =
  | { outcome: 'accepted'; at: Date; providerId: string; recipients?: number }
  /** `restricts` = the number may send less for now: each further try makes it worse. */
  | { outcome: 'refused'; code: string; detail: string; restricts?: boolean }
  | { outcome: 'deferred'; code: string; until: Date }
  | { outcome: 'unknown'; cause: string };

export type ConnectionState =
  | { status: 'connecting' }
  | ({ status: 'connected' } & LinkedAccount)
  /** The connection comes back by itself at `retryAt`. */
  | { status: 'waiting'; reason: string; retryAt: Date }
  /** In trouble. `stands` = nothing has been cut: what the connection was told before still holds. */
  | { status: 'degraded'; reason: string; stands?: boolean }
  | { status: 'restricted'; reason: string; until: Date | undefined }
  /** Over for good: credentials are worthless (`logged_out`) or a person must act. */
  | { status: 'ended'; reason: EndReason };

export type EndReason = 'logged_out' | 'forbidden' | 'client_outdated' | 'replaced' | 'credentials_broken';

export type GroupSnapshot = { providerId: string; subject: string; size: number; metadata: unknown };

export type ReceiptFact = {
  /** The provider id of our message. */
  providerId: string;
  kind: 'delivered' | 'read';
  /** Who: a phone number in E.164 where it is known, else the provider's own id of the person. */
  recipient: string;
  at: Date;
};

/** A late word on something sent before, such as an ack that came after the answer was given up. */
export type LateAnswer = { providerId: string; outcome: SendOutcome };

/** A raw inbound payload. `key` is unique per channel: the same message again has the same key. */
export type RawInbound = {
  key: string;
  kind: string;
  payload: Uint8Array;
  /** Of a placeholder: the key under which the message itself comes, when it comes. */
  standsFor?: string | undefined;
  /** What the message says, in the same bytes however it was brought. */
  content?: Uint8Array | undefined;
};

export type Inbound =
  /**
   * `from` is a phone number in E.164 where it is known, else the provider's own id of the person; `sender` is
   * every name that is known of them.
   */
  | {
      kind: 'text';
      key: string;
      from: string;
      sender: Identity[];
      group: string | undefined;
      text: string;
      at: Date;
    }
  /** Something came that could not be read (yet). A message under the same key takes its place, never the reverse. */
  | { kind: 'undecryptable'; key: string; from: string; group: string | undefined; at: Date }
  | { kind: 'unrecognised'; key: string };

/** Where a connection reports. Calls return once what they bring is stored. */
export type Sink = {
  state(state: ConnectionState): void;
  /** The complete list; groups that are not in it are gone. */
  groups(all: GroupSnapshot[]): Promise<void>;
  /** Some groups changed or came; `gone` holds provider ids. */
  groupsChanged(changed: GroupSnapshot[], gone: string[]): Promise<void>;
  inbound(raw: RawInbound[]): Promise<void>;
  receipts(facts: ReceiptFact[]): Promise<void>;
  late(answers: LateAnswer[]): Promise<void>;
  /**
   * Once after the `connected` that begins a connection, when the provider has handed over all that had waited
   * and it is stored: what shows no sign of having been sent by now shows none. Never told when some of it could
   * not be stored.
   */
  caughtUp(): Promise<void>;
  /**
   * Tells all names of a person who is about to be written to, first the one that the message is addressed to.
   * `opted_out` when this person wants no messages: then nothing is sent but what answers that very wish.
   */
  addressing(names: [Identity, ...Identity[]]): Promise<'go_on' | 'opted_out'>;
  /** The stored payload of a message that a recipient could not read and asks for again. */
  payloadOf(providerId: string): Promise<Uint8Array | undefined>;
  /** Metadata stored by an earlier snapshot. */
  groupMetadata(providerId: string): Promise<unknown>;
};

/** Credentials and keys of one channel: encrypted and fenced by whoever hands this out. */
export type CredentialStore = {
  readCredentials(): Promise<Uint8Array | undefined>;
  writeCredentials(plain: Uint8Array): Promise<void>;
  readKeys(type: string, ids: string[]): Promise<Map<string, Uint8Array>>;
  /**
   * All in one transaction; undefined deletes. What the new keys have just opened is stored in the same
   * transaction and handed on after it, so a confirmed message is never lost.
   * Rejects when the lease is lost, and then nothing is written.
   */
  writeKeys(changes: KeyChange[], opened: RawInbound[]): Promise<void>;
  /** The stored payload of a message that the provider brings again. */
  readInbound(key: string): Promise<Uint8Array | undefined>;
  clear(): Promise<void>;
};

export type KeyChange = { type: string; id: string; value: Uint8Array | undefined };

/** Whom stored credentials belong to. */
export type LinkedAccount = { phone: string; account: string; profileName: string | undefined };

export type PairingStep =
  | { step: 'show_qr'; qr: string }
  | { step: 'show_code'; code: string }
  | { step: 'connecting' }
  | ({ step: 'done' } & LinkedAccount)
  | { step: 'failed'; reason: string };

export type PairingRequest = { method: 'qr' } | { method: 'code'; phone: string };

export type Vitals = {
  /** Sockets that were open and of no use, since the connection began. */
  deafSockets: number;
  caches: { holds: string; size: number; limit: number }[];
};

export type Connection = {
  send(wire: Wire, deadline: Date): Promise<SendOutcome>;
  /** `release` keeps the credentials valid; `logout` ends them at the provider, best effort. */
  close(how: 'release' | 'logout'): Promise<void>;
  /** How it fares, for those who watch over the program. */
  vitals?(): Vitals;
  /** Asks the provider for all groups and reports them to the sink. */
  refreshGroups?(): Promise<void>;
};

export type Adapter = {
  readonly kind: string;
  readonly capabilities: Capabilities;
  /** Never throws; states arrive at the sink. `canWrite` is asked in the socket's own write. */
  connect(store: CredentialStore, sink: Sink, canWrite: () => boolean): Connection;
  /** Ends after `done` or `failed`, or when the signal aborts. `canWrite` as for `connect`. */
  pair?(
    request: PairingRequest,
    store: CredentialStore,
    signal: AbortSignal,
    canWrite: () => boolean,
  ): AsyncIterable<PairingStep>;
  /** Whose number the stored credentials link; undefined when there are none or pairing never ended. */
  linkedAccount(store: CredentialStore): Promise<LinkedAccount | undefined>;
  /** Draws the id of a message that we name ourselves. */
  newProviderId(): string;
  address(target: WireTarget): string;
  encode(content: Content): Uint8Array;
  /** Pure and plural: a payload may hold many messages; unknown shapes come back as `unrecognised`. */
  parse(raw: RawInbound): Inbound[];
};
