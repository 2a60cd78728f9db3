import { type Logger, pino } from 'pino';
import type { Identity } from '../../../contacts/index.ts';
import type {
  Adapter,
  Connection,
  ConnectionState,
  CredentialStore,
  GroupSnapshot,
  Inbound,
  KeyChange,
  LateAnswer,
  PairingRequest,
  PairingStep,
  RawInbound,
  ReceiptFact,
  Sink,
  Wire,
  WireTarget,
} from '../contract.ts';
import { createLinkedAdapter } from './index.ts';
import type { LivenessTimes } from './liveness.ts';

/** For tests only: credentials in memory, with the latency and the refusals of a real store. */
export class MemoryStore implements CredentialStore {
  credentials: Uint8Array | undefined;
  keys = new Map<string, Uint8Array>();
  inbound = new Map<string, RawInbound>();
  latencyMs = 0;
  refuses = false;
  writes = 0;
  /** Called when keys are about to be written, and waited for. */
  beforeWrite: () => void | Promise<void> = () => undefined;
  /** Called when an opened message is stored. */
  afterOpened: () => void = () => undefined;

  async readCredentials(): Promise<Uint8Array | undefined> {
    await this.#pass();
    return this.credentials;
  }

  async writeCredentials(plain: Uint8Array): Promise<void> {
    await this.#pass();
    this.#admit();
    this.credentials = plain;
  }

  async readKeys(type: string, ids: string[]): Promise<Map<string, Uint8Array>> {
    await this.#pass();
    const found = new Map<string, Uint8Array>();
    for (const id of ids) {
      const value = this.keys.get(`${type}|${id}`);
      if (value) found.set(id, value);
    }
    return found;
  }

  async writeKeys(changes: KeyChange[], opened: RawInbound[]): Promise<void> {
    await this.#pass();
    await this.beforeWrite();
    this.#admit();
    this.writes += 1;
    for (const { type, id, value } of changes) {
      if (value) this.keys.set(`${type}|${id}`, value);
      else this.keys.delete(`${type}|${id}`);
    }
    for (const raw of opened) if (!this.inbound.has(raw.key)) this.inbound.set(raw.key, raw);
    if (opened.length > 0) this.afterOpened();
  }

  async readInbound(key: string): Promise<Uint8Array | undefined> {
    return this.inbound.get(key)?.payload;
  }

  async clear(): Promise<void> {
    this.credentials = undefined;
    this.keys.clear();
  }

  async #pass(): Promise<void> {
    if (this.latencyMs > 0) await new Promise(resolve => setTimeout(resolve, this.latencyMs));
  }

  #admit(): void {
    if (this.refuses) throw new Error('The lease is held by another node.');
  }
}

/** The part of the simulator that a number needs to be linked to it. */
export type Server = { socketUrl: string; rootKey: Buffer; scan(number: string, qr: string): number };

/** For tests only: a linked number with everything that it reports. */
export class Linked implements Sink {
  readonly store = new MemoryStore();
  readonly adapter: Adapter;
  readonly states: ConnectionState[] = [];
  readonly steps: PairingStep[] = [];
  allGroups: GroupSnapshot[] = [];
  readonly changes: { changed: GroupSnapshot[]; gone: string[] }[] = [];
  readonly facts: ReceiptFact[] = [];
  readonly answers: LateAnswer[] = [];
  /** How many answers and receipts were there when it was told, for each connection. */
  readonly catchUps: { answers: number; facts: number }[] = [];
  /** All names of those who were about to be written to. */
  readonly addressed: Identity[][] = [];
  /** What is answered then. */
  wanted: 'go_on' | 'opted_out' = 'go_on';
  readonly payloads = new Map<string, Uint8Array>();
  /** Ids of messages whose stored payload was asked for. */
  readonly asked: string[] = [];
  readonly upserted: RawInbound[] = [];
  mayWrite = true;
  refusesReports = false;
  refusesPayloads = false;
  /** Reports that were refused. */
  refused = 0;
  connection: Connection | undefined;

  constructor(
    server: Server,
    options: { qrMs?: number; log?: Logger; liveness?: Partial<LivenessTimes> } = {},
  ) {
    this.adapter = createLinkedAdapter({
      socketUrl: server.socketUrl,
      rootKey: server.rootKey.toString('hex'),
      sandbox: true,
      log: pino({ level: 'silent' }),
      patience: 0.02,
      ...options,
    });
  }

  state(state: ConnectionState): void {
    this.states.push(state);
  }
  async groups(all: GroupSnapshot[]): Promise<void> {
    this.allGroups = all;
  }
  async groupsChanged(changed: GroupSnapshot[], gone: string[]): Promise<void> {
    this.changes.push({ changed, gone });
  }
  async inbound(raw: RawInbound[]): Promise<void> {
    this.#admitReport();
    this.upserted.push(...raw);
    for (const one of raw) if (!this.store.inbound.has(one.key)) this.store.inbound.set(one.key, one);
  }
  async receipts(facts: ReceiptFact[]): Promise<void> {
    this.#admitReport();
    this.facts.push(...facts);
  }
  async late(answers: LateAnswer[]): Promise<void> {
    this.#admitReport();
    this.answers.push(...answers);
  }
  async caughtUp(): Promise<void> {
    this.catchUps.push({ answers: this.answers.length, facts: this.facts.length });
  }
  async addressing(names: Identity[]): Promise<'go_on' | 'opted_out'> {
    this.addressed.push(names);
    return this.wanted;
  }
  async payloadOf(providerId: string): Promise<Uint8Array | undefined> {
    this.asked.push(providerId);
    if (this.refusesPayloads) throw new Error('The database is away.');
    return this.payloads.get(providerId);
  }
  async groupMetadata(providerId: string): Promise<unknown> {
    return this.allGroups.find(group => group.providerId === providerId)?.metadata;
  }

  #admitReport(): void {
    if (!this.refusesReports) return;
    this.refused += 1;
    throw new Error('The database is away.');
  }

  get last(): ConnectionState | undefined {
    return this.states.at(-1);
  }

  messages(): Inbound[] {
    return [...this.store.inbound.values()].flatMap(raw => this.adapter.parse(raw));
  }

  texts(): string[] {
    return this.messages().flatMap(message => (message.kind === 'text' ? [message.text] : []));
  }

  /** Walks through a pairing by QR code; the phone scans the code that `scans` (the first) names. */
  async pair(server: Server, number: string, scans = 1): Promise<PairingStep | undefined> {
    let codes = 0;
    for await (const step of this.pairing({ method: 'qr' })) {
      if (step.step === 'show_qr' && ++codes === scans) server.scan(number, step.qr);
    }
    return this.steps.at(-1);
  }

  /** The steps of a pairing, kept in `steps` as they come. */
  async *pairing(
    request: PairingRequest,
    signal = new AbortController().signal,
  ): AsyncGenerator<PairingStep> {
    if (!this.adapter.pair) throw new Error('This adapter does not pair.');
    for await (const step of this.adapter.pair(request, this.store, signal, () => this.mayWrite)) {
      this.steps.push(step);
      yield step;
    }
  }

  async connect(): Promise<void> {
    const from = this.states.length;
    this.connection = this.adapter.connect(this.store, this, () => this.mayWrite);
    await until(() =>
      this.states.slice(from).some(({ status }) => status === 'connected' || status === 'ended'),
    );
  }

  wire(target: WireTarget, text: string): Wire {
    const wire = {
      providerId: this.adapter.newProviderId(),
      to: this.adapter.address(target),
      payload: this.adapter.encode({ type: 'text', text: { body: text } }),
    };
    this.payloads.set(wire.providerId, wire.payload);
    return wire;
  }

  send(wire: Wire, patienceMs = 5_000) {
    if (!this.connection) throw new Error('not connected');
    return this.connection.send(wire, new Date(Date.now() + patienceMs));
  }
}

/** A paired and connected number whose groups are known. */
export async function linkedTo(server: Server, number: string): Promise<Linked> {
  const linked = new Linked(server);
  await linked.pair(server, number);
  await linked.connect();
  await until(() => linked.allGroups.length > 0);
  return linked;
}

/** Waits for a condition; fails with its source text when it does not come true in time. */
export async function until(condition: () => boolean, patienceMs = 8_000): Promise<void> {
  const deadline = Date.now() + patienceMs;
  while (!condition()) {
    if (Date.now() > deadline) throw new Error(`waited in vain for ${condition.toString()}`);
    await new Promise(resolve => setTimeout(resolve, 5));
  }
}
