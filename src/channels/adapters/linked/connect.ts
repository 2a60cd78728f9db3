import type { BaileysEventMap, BinaryNode } from 'baileys';
import type { Logger } from 'pino';
import { pause } from '../../pause.ts';
import type {
  Connection,
  ConnectionState,
  CredentialStore,
  RawInbound,
  SendOutcome,
  Sink,
  Wire,
} from '../contract.ts';
import { BoundedCache } from './bounded-cache.ts';
import { CatchUp } from './catch-up.ts';
import { decodeMessage, openedMessage, repad, upsertedMessage } from './convert.ts';
import { backoffMs, type Ending, verdictOn } from './errors.ts';
import { isEndOfBacklog, provenSent } from './evidence.ts';
import { GroupBook } from './groups.ts';
import { accountOf, inboundKey, isLid, phoneAddress, userOf } from './ids.ts';
import { libraryLog } from './library-log.ts';
import { readStored } from './parse.ts';
import { receiptFacts } from './receipts.ts';
import { Outgoing, type SendSource } from './send.ts';
import type { Opening } from './signal.ts';
import { type OpenSocket, openSocket, type SocketSetup, stanzaIndex } from './socket.ts';
import { type Auth, readAuth } from './store.ts';

export type LinkedSetup = {
  url: string;
  log: Logger;
  /** Left out = as WhatsApp's own client does; tests are impatient. */
  qrMs?: number | undefined;
  /** Factor on all waits between two connections; 1 unless a test says otherwise. */
  patience?: number | undefined;
};

type TimeLock = NonNullable<BaileysEventMap['connection.update']['reachoutTimeLock']>;

/** A connection that stood this long starts counting failures anew. */
const STABLE_MS = 60_000;
const LOGOUT_MS = 10_000;
const STORED = 2_000;
const ASK_AGAIN_MS = { least: 60_000, most: 3_600_000 };
/** From so many failures in a row on, the channel is shown as in trouble. */
const TROUBLE = 5;

/** One linked number: keeps a socket open, comes back by itself, and reports what it sees. */
export class LinkedConnection implements Connection {
  readonly #store: CredentialStore;
  readonly #sink: Sink;
  readonly #canWrite: () => boolean;
  readonly #setup: LinkedSetup;
  readonly #groups: GroupBook;
  readonly #outgoing: Outgoing;
  readonly #over = new AbortController();
  /** Keys of messages that were stored with their ratchet and need no second look. */
  readonly #stored = new BoundedCache(STORED, 3_600_000);
  #socket: OpenSocket | undefined;
  #open = false;
  #restricted = false;
  #leaving = false;
  #failures = 0;
  /** Of the socket that is open; a moment that never comes while none is. */
  #openedAt = Number.POSITIVE_INFINITY;
  #reporting: Promise<unknown> = Promise.resolve();
  readonly #running: Promise<void>;

  constructor(store: CredentialStore, sink: Sink, canWrite: () => boolean, setup: LinkedSetup) {
    this.#store = store;
    this.#sink = sink;
    this.#canWrite = canWrite;
    this.#setup = setup;
    this.#groups = new GroupBook(sink);
    const source: SendSource = {
      socket: () => (this.#open ? this.#socket?.sock : undefined),
      canWrite,
      addressing: names => sink.addressing(names),
      restricted: () => this.#askRestriction(),
      stuck: () => this.#socket?.breakOff(),
    };
    this.#outgoing = new Outgoing(source, this.#groups, answers => this.#report(() => sink.late(answers)));
    this.#running = this.#run();
  }

  send(wire: Wire, deadline: Date): Promise<SendOutcome> {
    return this.#outgoing.send(wire, deadline);
  }

  async refreshGroups(): Promise<void> {
    const sock = this.#open ? this.#socket?.sock : undefined;
    if (sock) await this.#groups.refresh(sock).catch(error => this.#fault('groups', error));
  }

  async close(how: 'release' | 'logout'): Promise<void> {
    this.#leaving = true;
    if (how === 'logout' && this.#open && this.#socket) await logOut(this.#socket);
    this.#over.abort();
    if (this.#canWrite()) this.#socket?.leave();
    else this.#socket?.terminate();
    await this.#running;
    await this.#reporting;
  }

  async #run(): Promise<void> {
    const auth = await this.#readAuth();
    if (!auth) return;
    await this.#keepConnected(auth);
    await auth.shut();
  }

  async #keepConnected(auth: Auth): Promise<void> {
    while (!this.#over.signal.aborted && this.#canWrite()) {
      if (this.#failures < TROUBLE) this.#state({ status: 'connecting' });
      const ending = await this.#once(auth);
      await auth.settled().catch(error => this.#fault('credentials', error));
      if (!this.#canWrite()) return;
      const verdict = verdictOn(ending, this.#leaving);
      if (verdict.action === 'stop') return;
      if (verdict.action === 'end') {
        await auth.shut();
        this.#state({ status: 'ended', reason: verdict.reason });
        return;
      }
      if (performance.now() - this.#openedAt > STABLE_MS) this.#failures = 0;
      this.#openedAt = Number.POSITIVE_INFINITY;
      this.#failures += 1;
      if (verdict.action === 'reconnect' && this.#failures < TROUBLE) continue;
      const pace =
        verdict.action === 'backoff' ? verdict : { reason: 'restarting', firstMs: 1_000, maxMs: 60_000 };
      await this.#wait(pace.reason, backoffMs(pace, this.#failures) * (this.#setup.patience ?? 1));
    }
  }

  async #readAuth(): Promise<Auth | undefined> {
    try {
      const auth = await readAuth(this.#store);
      if (auth && accountOf(auth.creds.me)) return auth;
    } catch (error) {
      this.#fault('credentials', error);
    }
    if (!this.#leaving && this.#canWrite()) this.#state({ status: 'ended', reason: 'credentials_broken' });
    return undefined;
  }

  /** One socket from opening to its end. */
  async #once(auth: Auth): Promise<Ending> {
    let find: ReturnType<typeof stanzaIndex> = () => undefined;
    const opening = openingOver(auth, this.#stored, ciphertext => find(ciphertext));
    const socket = openSocket(this.#socketSetup(auth, opening));
    find = stanzaIndex(socket);
    this.#socket = socket;
    this.#listen(auth, socket);
    if (this.#over.signal.aborted) socket.terminate();
    const ending = await socket.ended;
    this.#open = false;
    this.#socket = undefined;
    this.#groups.pause();
    this.#outgoing.disconnected();
    return ending;
  }

  #socketSetup(auth: Auth, opening: Opening): SocketSetup {
    return {
      url: this.#setup.url,
      logger: libraryLog(this.#setup.log),
      auth,
      canWrite: this.#canWrite,
      opening,
      getMessage: async ({ id }) => {
        const payload = id ? await this.#sink.payloadOf(id) : undefined;
        return payload && decodeMessage(payload);
      },
      cachedGroupMetadata: group => this.#groups.metadata(group),
      qrMs: undefined,
    };
  }

  #listen(auth: Auth, socket: OpenSocket): void {
    const { sock } = socket;
    const catchUp = new CatchUp();
    sock.ev.on('connection.update', ({ connection, reachoutTimeLock }) => {
      if (connection === 'open') {
        this.#opened(auth, socket);
        catchUp.opened();
        this.#tellCaughtUp(catchUp);
      }
      if (reachoutTimeLock && this.#open) this.#restriction(auth, reachoutTimeLock);
    });
    sock.ev.on('creds.update', ({ me }) => {
      if (me?.name && this.#open) this.#stateOfAccount(auth);
    });
    sock.ev.on('messages.upsert', ({ messages }) => {
      const self = auth.creds.me;
      const found = self ? messages.flatMap(message => upsertedMessage(message, self) ?? []) : [];
      const raw = found.filter(({ key }) => !this.#stored.get(key));
      if (raw.length > 0) this.#report(() => this.#sink.inbound(raw));
    });
    socket.onStanza(node => {
      if (node.tag === 'ack') this.#outgoing.acknowledged(node);
      if (node.tag === 'receipt')
        this.#report(async () => this.#sink.receipts(await receiptFacts(node, sock)), catchUp);
      const proven = auth.creds.me ? provenSent(node, auth.creds.me) : [];
      if (proven.length > 0) this.#report(() => this.#sink.late(proven), catchUp);
      if (isEndOfBacklog(node)) {
        catchUp.handedOver();
        this.#tellCaughtUp(catchUp);
      }
      this.#groups.follow(sock, node, error => this.#fault('groups', error));
    });
  }

  #opened(auth: Auth, socket: OpenSocket): void {
    this.#open = true;
    this.#restricted = false;
    this.#openedAt = performance.now();
    this.#stateOfAccount(auth);
    this.#groups.refresh(socket.sock).catch(error => this.#fault('groups', error));
  }

  /** WhatsApp keeps the number from starting new chats for a while; it is asked again when that should be over. */
  #restriction(auth: Auth, { isActive, timeEnforcementEnds: until }: TimeLock): void {
    if (!isActive) {
      if (this.#restricted) this.#stateOfAccount(auth);
      this.#restricted = false;
      return;
    }
    this.#restricted = true;
    this.#state({ status: 'restricted', reason: 'account_restricted', until });
    const left = (until?.getTime() ?? 0) - Date.now();
    const ask = () => this.#askRestriction();
    setTimeout(ask, Math.min(Math.max(left, ASK_AGAIN_MS.least), ASK_AGAIN_MS.most)).unref();
  }

  #askRestriction(): void {
    const sock = this.#open ? this.#socket?.sock : undefined;
    sock?.fetchAccountReachoutTimelock().catch(error => this.#fault('restriction', error));
  }

  #stateOfAccount(auth: Auth): void {
    const account = accountOf(auth.creds.me);
    if (account) this.#state({ status: 'connected', ...account });
  }

  async #wait(reason: string, ms: number): Promise<void> {
    const waiting: ConnectionState = { status: 'waiting', reason, retryAt: new Date(Date.now() + ms) };
    this.#state(this.#failures < TROUBLE ? waiting : { status: 'degraded', reason });
    await pause(ms, this.#over.signal);
  }

  #state(state: ConnectionState): void {
    this.#sink.state(state);
  }

  /** Behind all reports of the socket; one that it could not store leaves it untold. */
  #tellCaughtUp(catchUp: CatchUp): void {
    if (!catchUp.isDue()) return;
    const socket = this.#socket;
    this.#report(async () => {
      if (catchUp.isWhole && this.#open && this.#socket === socket) await this.#sink.caughtUp();
    });
  }

  /** One report after the other, so that a read never overtakes the delivery before it. */
  #report(work: () => Promise<void>, catchUp?: CatchUp): void {
    this.#reporting = this.#reporting.then(work).catch(error => {
      catchUp?.missed();
      this.#fault('report', error);
    });
  }

  #fault(what: string, error: unknown): void {
    // After the end, refusals of the store are what is meant to happen.
    if (this.#over.signal.aborted || !this.#canWrite()) return;
    this.#setup.log.warn({ event: `linked.${what}_failed`, err: error });
  }
}

function openingOver(auth: Auth, stored: BoundedCache, find: ReturnType<typeof stanzaIndex>): Opening {
  return {
    async opened(ciphertext, plain): Promise<RawInbound | undefined> {
      const node = find(ciphertext);
      const self = auth.creds.me;
      if (!node || !self) return undefined;
      const message = openedMessage(node, plain, self, await knownNumber(auth, node));
      if (message) stored.set(message.key, true);
      return message;
    },
    async openedBefore(ciphertext) {
      const { id, from, participant } = find(ciphertext)?.attrs ?? {};
      if (!id || !from) return undefined;
      const payload = await auth.readInbound(inboundKey(from, participant ?? from, id));
      const before = payload && readStored(payload);
      return before && repad(before);
    },
  };
}

/** The phone address of who wrote under a LID alone, where an earlier stanza or look-up has told it. */
async function knownNumber(auth: Auth, { attrs }: BinaryNode): Promise<string | undefined> {
  const sender = attrs.participant ?? attrs.from;
  if (!isLid(sender) || attrs.participant_pn || attrs.sender_pn) return undefined;
  const id = `${userOf(sender ?? '')}_reverse`;
  const found = (await auth.keys.get('lid-mapping', [id]))[id];
  return found && phoneAddress(found);
}

/** Asks WhatsApp to forget this device; its answer ends the socket. Best effort, bounded in time. */
async function logOut(socket: OpenSocket): Promise<void> {
  const { promise: late, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, LOGOUT_MS);
  const { sock } = socket;
  const self = sock.user;
  if (self) {
    const removal = { tag: 'remove-companion-device', attrs: { jid: self.id, reason: 'user_initiated' } };
    const asked = sock
      .query({ tag: 'iq', attrs: { to: '@s.whatsapp.net', type: 'set', xmlns: 'md' }, content: [removal] })
      .catch(() => undefined);
    await Promise.race([asked, socket.ended, late]);
  }
  clearTimeout(timer);
}
