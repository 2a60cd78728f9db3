import { EventEmitter } from 'node:events';
import {
  type BinaryNode,
  Browsers,
  DisconnectReason,
  makeWASocket,
  type SocketConfig,
  type WASocket,
} from 'baileys';
import { BoundedCache, type Caches } from './bounded-cache.ts';
import { type Ending, readEnding } from './errors.ts';
import { noteWrite } from './footprint.ts';
import { mayWriteOn } from './requests.ts';
import { ciphertextsOf, type Opening, signalRepositoryOver } from './signal.ts';
import type { Auth } from './store.ts';

export type SocketSetup = {
  url: string;
  logger: SocketConfig['logger'];
  auth: Auth;
  /** Asked before each write; false ends the socket without writing. */
  canWrite(): boolean;
  opening: Opening;
  getMessage: SocketConfig['getMessage'];
  cachedGroupMetadata: SocketConfig['cachedGroupMetadata'];
  /** How often Baileys pings by itself, and looks only at whether anything comes. */
  keepAliveMs: number;
  /** How long each QR code is shown; left out = as WhatsApp's own client does. */
  qrMs: number | undefined;
};

export type OpenSocket = {
  sock: WASocket;
  caches: Caches;
  /** Resolves once, when the socket is over for whatever reason. */
  ended: Promise<Ending>;
  /** Every stanza that comes in, before Baileys looks at it. */
  onStanza(listener: (node: BinaryNode) => void): void;
  /** Polite end: the close handshake gets half a second. */
  leave(): void;
  /** Ends the TCP connection now. */
  terminate(): void;
  /** The same as a loss, after which a connection comes back. Nothing more is written or confirmed. */
  breakOff(): void;
};

/** What the phone shows under Linked devices; constant, as a changed one looks like another device. */
const BROWSER = Browsers.ubuntu('Chrome');
const QUERY_TIMEOUT_MS = 30_000;
const CONNECT_TIMEOUT_MS = 20_000;
const LEAVE_MS = 500;
const COMMIT_TRIES = { maxCommitRetries: 3, delayBetweenTriesMs: 100 };
const HOUR_MS = 3_600_000;

/** The socket below Baileys' client, which it does not declare. */
type RawSocket = {
  send(data: Uint8Array, done?: (error?: Error) => void): void;
  terminate(): void;
};

/** Opens one socket. Never throws; whatever goes wrong is in `ended`. */
export function openSocket(setup: SocketSetup): OpenSocket {
  const caches = newCaches();
  const sock = withRejectionsCaptured(() => makeWASocket(configOf(setup, caches)));
  const raw = rawOf(sock);
  const { promise: ended, resolve } = Promise.withResolvers<Ending>();
  const stop = (error?: Error) => void sock.end(error);
  if (raw) guardWrites(raw, setup.canWrite);
  sock.ev.on('creds.update', () => setup.auth.save());
  sock.ev.on('connection.update', ({ connection, lastDisconnect }) => {
    if (connection === 'close') resolve(readEnding(lastDisconnect?.error));
  });
  onRejection(sock, error => {
    setup.logger.warn({ error }, 'a handler of the library failed');
    // A frame that cannot be read leaves the stream's ciphers out of step.
    if (error instanceof Error && /decrypt|authenticate|frame/i.test(error.message)) stop(lost());
  });
  const terminate = () => {
    raw?.terminate();
    stop();
  };
  return {
    sock,
    caches,
    ended,
    onStanza: listener => {
      sock.ws.on('frame', (frame: unknown) => {
        if (isStanza(frame)) listener(frame);
      });
    },
    leave() {
      stop();
      setTimeout(() => raw?.terminate(), LEAVE_MS).unref();
    },
    terminate,
    breakOff: () => {
      raw?.terminate();
      stop(lost());
    },
  };
}

/** Baileys' own have a lifetime and no size. */
function newCaches() {
  return {
    retries: new BoundedCache(10_000, HOUR_MS),
    // Notifications keep it true; each look-up costs a new session with every person.
    devices: new BoundedCache(20_000, HOUR_MS),
    calls: new BoundedCache(100, HOUR_MS / 12),
    placeholders: new BoundedCache(1_000, HOUR_MS),
    addresses: new BoundedCache(20_000, 72 * HOUR_MS),
  };
}

function configOf(
  setup: SocketSetup,
  caches: ReturnType<typeof newCaches>,
): Parameters<typeof makeWASocket>[0] {
  return {
    waWebSocketUrl: setup.url,
    logger: setup.logger,
    auth: { creds: setup.auth.creds, keys: setup.auth.keys },
    browser: BROWSER,
    makeSignalRepository: signalRepositoryOver(setup.auth, setup.opening, caches.addresses),
    transactionOpts: COMMIT_TRIES,
    markOnlineOnConnect: false,
    syncFullHistory: false,
    shouldSyncHistoryMessage: () => false,
    emitOwnEvents: false,
    defaultQueryTimeoutMs: QUERY_TIMEOUT_MS,
    connectTimeoutMs: CONNECT_TIMEOUT_MS,
    keepAliveIntervalMs: setup.keepAliveMs,
    getMessage: setup.getMessage,
    cachedGroupMetadata: setup.cachedGroupMetadata,
    msgRetryCounterCache: caches.retries,
    userDevicesCache: caches.devices,
    callOfferCache: caches.calls,
    placeholderResendCache: caches.placeholders,
    ...(setup.qrMs === undefined ? {} : { qrTimeout: setup.qrMs }),
  };
}

/** The last gate before the wire: without the right to write, or where it would confirm too much, the socket ends. */
function guardWrites(raw: RawSocket, canWrite: () => boolean): void {
  const write = raw.send.bind(raw);
  raw.send = (data, done) => {
    if (!canWrite() || !mayWriteOn()) {
      raw.terminate();
      done?.(new Error('The right to write on this connection has ended.'));
      return;
    }
    noteWrite();
    write(data, done);
  };
}

/**
 * Baileys hangs async functions on its emitters; when one rejects (a query cut short by a closing socket), the
 * whole process would end. Emitters made inside report to `onRejection` instead.
 */
function withRejectionsCaptured<T>(make: () => T): T {
  const before = EventEmitter.captureRejections;
  EventEmitter.captureRejections = true;
  try {
    return make();
  } finally {
    EventEmitter.captureRejections = before;
  }
}

function onRejection(sock: WASocket, listener: (error: unknown) => void): void {
  Object.assign(sock.ws, { [Symbol.for('nodejs.rejection')]: listener });
  // The emitter behind `ev` is hidden; without such a method it reports rejections as 'error' events.
  (sock.ev as unknown as EventEmitter).on('error', listener);
}

function rawOf(sock: WASocket): RawSocket | undefined {
  return (sock.ws as unknown as { socket: RawSocket | null }).socket ?? undefined;
}

function isStanza(frame: unknown): frame is BinaryNode {
  return typeof frame === 'object' && frame !== null && 'tag' in frame && 'attrs' in frame;
}

function lost(): Error {
  return Object.assign(new Error('The stream cannot be read any more.'), {
    output: { statusCode: DisconnectReason.connectionClosed },
  });
}

/** Remembers which stanza a ciphertext came in, for as long as somebody holds the ciphertext. */
export function stanzaIndex(open: OpenSocket): (ciphertext: Uint8Array) => BinaryNode | undefined {
  const stanzas = new WeakMap<Uint8Array, BinaryNode>();
  open.onStanza(node => {
    if (node.tag !== 'message') return;
    for (const ciphertext of ciphertextsOf(node)) stanzas.set(ciphertext, node);
  });
  return ciphertext => stanzas.get(ciphertext);
}
