import type {
  AuthenticationCreds,
  BaileysEventMap,
  proto,
  SignalDataTypeMap,
  SignalKeyStore,
  SocketConfig,
} from 'baileys';
import { BufferJSON, initAuthCreds, makeWASocket, WA_CERT_DETAILS, type WASocket } from 'baileys';
import pino from 'pino';
import { expect } from 'vitest';
import { silenceConsole } from './phones/quiet.ts';

export type Ending = { code: number | undefined; type: string | undefined };
type Shown = { id: string; chat: string; text: string; type: string; fromMe: boolean };
type EventName = keyof BaileysEventMap;

/** What a client needs of a simulator, in this process or another. */
type Remote = {
  socketUrl: string;
  rootKey: Buffer;
  scan(number: string, qr: string): unknown;
};

const PATIENCE_MS = 8000;

/** An unmodified Baileys client with its own stored state: the counterpart in the simulator's tests. */
export class Client {
  creds: AuthenticationCreds = initAuthCreds();
  socket: WASocket | undefined;
  acks: { id: string; error: string | undefined }[] = [];
  qr: string | undefined;
  ending: Ending | undefined;
  open = false;
  readonly #events: { name: EventName; data: unknown }[] = [];
  readonly #stored = new Map<string, string>();
  readonly #simulator: Remote;
  readonly #config: Partial<SocketConfig>;

  constructor(simulator: Remote, config: Partial<SocketConfig> = {}) {
    this.#simulator = simulator;
    this.#config = config;
    WA_CERT_DETAILS.PUBLIC_KEY = Buffer.from(simulator.rootKey);
    silenceConsole();
  }

  /** A second client with a copy of this one's credentials, as after a botched restore. */
  copy(): Client {
    const twin = new Client(this.#simulator, this.#config);
    twin.creds = JSON.parse(JSON.stringify(this.creds, BufferJSON.replacer), BufferJSON.reviver);
    for (const [key, value] of this.#stored) twin.#stored.set(key, value);
    return twin;
  }

  /** Opens a socket; returns at once. */
  start(): WASocket {
    this.qr = undefined;
    this.ending = undefined;
    this.open = false;
    const socket = makeWASocket({
      waWebSocketUrl: this.#simulator.socketUrl,
      auth: { creds: this.creds, keys: this.#keys() },
      logger: pino({ level: 'silent' }),
      shouldSyncHistoryMessage: () => false,
      retryRequestDelayMs: 1,
      transactionOpts: { maxCommitRetries: 3, delayBetweenTriesMs: 50 },
      ...this.#config,
    });
    this.socket = socket;
    socket.ev.process(events => {
      for (const [name, data] of Object.entries(events)) this.#events.push({ name: name as EventName, data });
    });
    socket.ev.on('creds.update', update => Object.assign(this.creds, update));
    socket.ev.on('connection.update', update => this.#follow(update));
    socket.ws.on('CB:ack,class:message', (node: { attrs: Record<string, string> }) =>
      this.acks.push({ id: node.attrs.id ?? '', error: node.attrs.error }),
    );
    return socket;
  }

  /** Opens a socket and waits until it is logged in or over. */
  async connect(): Promise<Ending | 'open'> {
    this.start();
    await until(() => this.open || this.ending !== undefined);
    return this.ending ?? 'open';
  }

  /** Pairs by QR code and logs in. */
  async pair(number: string): Promise<WASocket> {
    this.start();
    await until(() => this.qr !== undefined);
    await this.#simulator.scan(number, this.qr ?? '');
    await until(() => this.ending !== undefined);
    await this.connect();
    return this.required();
  }

  required(): WASocket {
    if (!this.socket) throw new Error('not started');
    return this.socket;
  }

  async leave(): Promise<void> {
    await this.required().end(undefined);
    await until(() => this.ending !== undefined);
  }

  seen<T extends EventName>(name: T): BaileysEventMap[T][] {
    return this.#events.filter(event => event.name === name).map(event => event.data as BaileysEventMap[T]);
  }

  /** Readable messages of others, in order of arrival. */
  inbox(): Shown[] {
    return this.#shown().filter(message => !message.fromMe);
  }

  /** Own messages: sent here, or on the phone or another companion. */
  outbox(): Shown[] {
    return this.#shown().filter(message => message.fromMe);
  }

  /** The highest status that any event has given to an own message. */
  status(id: string): number {
    const updates = this.seen('messages.update').flat();
    const told = updates.filter(one => one.key.id === id).map(one => one.update.status ?? 0);
    const shown = this.seen('messages.upsert').flatMap(({ messages }) => messages);
    const folded = shown.filter(one => one.key.id === id).map(one => one.status ?? 0);
    return Math.max(-1, ...told, ...folded);
  }

  /** Who has reported a group message; quick receipts come folded into the message's own event. */
  receipts(id: string): proto.IUserReceipt[] {
    const told = this.seen('message-receipt.update').flat();
    const shown = this.seen('messages.upsert').flatMap(({ messages }) => messages);
    return [
      ...told.filter(one => one.key.id === id).map(one => one.receipt),
      ...shown.filter(one => one.key.id === id).flatMap(one => one.userReceipt ?? []),
    ];
  }

  #shown(): Shown[] {
    return this.seen('messages.upsert').flatMap(({ messages, type }) =>
      messages.flatMap(({ key, message }) => {
        const text = message?.conversation ?? message?.extendedTextMessage?.text;
        return text
          ? [{ id: key.id ?? '', chat: key.remoteJid ?? '', text, type, fromMe: key.fromMe ?? false }]
          : [];
      }),
    );
  }

  #follow(update: BaileysEventMap['connection.update']): void {
    if (update.qr) this.qr = update.qr;
    if (update.connection === 'open') this.open = true;
    if (update.connection !== 'close') return;
    const error = update.lastDisconnect?.error;
    const output = error && 'output' in error ? (error.output as { statusCode?: number }) : undefined;
    const data =
      error && 'data' in error ? (error.data as { attrs?: { type?: string } } | undefined) : undefined;
    this.ending = { code: output?.statusCode, type: data?.attrs?.type };
  }

  #keys(): SignalKeyStore {
    return {
      get: async <T extends keyof SignalDataTypeMap>(type: T, ids: string[]) => {
        const found: Record<string, SignalDataTypeMap[T]> = {};
        for (const id of ids) {
          const value = this.#stored.get(`${type}|${id}`);
          if (value !== undefined) found[id] = JSON.parse(value, BufferJSON.reviver) as SignalDataTypeMap[T];
        }
        return found;
      },
      set: async data => {
        for (const [type, values] of Object.entries(data)) {
          for (const [id, value] of Object.entries(values ?? {})) {
            if (value === null) this.#stored.delete(`${type}|${id}`);
            else this.#stored.set(`${type}|${id}`, JSON.stringify(value, BufferJSON.replacer));
          }
        }
      },
    };
  }
}

/** Waits for a condition, as an assertion; fails with its source text when it does not come true in time. */
export async function until(condition: () => boolean): Promise<void> {
  const deadline = Date.now() + PATIENCE_MS;
  while (!condition() && Date.now() < deadline) await new Promise(resolve => setTimeout(resolve, 5));
  expect(condition(), `waited in vain for ${condition.toString()}`).toBe(true);
}
