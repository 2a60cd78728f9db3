import type { Logger } from 'pino';
import { pause } from '../../pause.ts';
import type {
  Connection,
  ConnectionState,
  CredentialStore,
  RawInbound,
  SendOutcome,
  Sink,
  Vitals,
  Wire,
} from '../contract.ts';
import { BoundedCache } from './bounded-cache.ts';
import { CatchUp } from './catch-up.ts';
import { decodeMessage } from './convert.ts';
import { Endurance } from './endurance.ts';
import { backoffMs, type Ending, verdictOn } from './errors.ts';
import { GroupBook } from './groups.ts';
import { hear, type Line } from './hearing.ts';
import { HoldBack } from './hold-back.ts';
import { accountOf } from './ids.ts';
import { inTime } from './key-writer.ts';
import { libraryLog } from './library-log.ts';
import { LIVENESS, type LivenessTimes, watchLiveness } from './liveness.ts';
import { openingOver } from './opening.ts';
import { answersPing, askForBacklog, logOut } from './questions.ts';
import { Reports } from './reports.ts';
import { ofStore, Requests } from './requests.ts';
import { Restriction } from './restriction.ts';
import { Outgoing, type SendSource } from './send.ts';
import type { Opening } from './signal.ts';
import { openSocket, type SocketSetup, stanzaIndex } from './socket.ts';
import { type Auth, readAuth } from './store.ts';
import { Unheard } from './unheard.ts';

export type LinkedSetup = {
  url: string;
  log: Logger;
  /** Left out = as WhatsApp's own client does; tests are impatient. */
  qrMs?: number | undefined;
  /** Factor on all waits between two connections; 1 unless a test says otherwise. */
  patience?: number | undefined;
  liveness?: Partial<LivenessTimes> | undefined;
};

const OPENING_MS = 90_000;
/** We ask for signs of life ourselves and look at the answers. */
const KEEP_ALIVE_MS = 120_000;
const KEPT = 2_000;
const READ_TRIES = 5;
const UNEXPECTED = { firstMs: 1_000, maxMs: 60_000 };

/** One linked number: keeps a socket open, comes back by itself, and reports what it sees. */
export class LinkedConnection implements Connection {
  readonly #store: CredentialStore;
  readonly #sink: Sink;
  readonly #canWrite: () => boolean;
  readonly #setup: LinkedSetup;
  readonly #groups: GroupBook;
  readonly #outgoing: Outgoing;
  readonly #reports: Reports;
  readonly #requests = new Requests();
  readonly #unheard = new Unheard();
  readonly #restriction = new Restriction(() => this.#askRestriction());
  readonly #endurance = new Endurance();
  readonly #over = new AbortController();
  /** Keys of messages that were stored with their ratchet and need no second look. */
  readonly #kept = new BoundedCache(KEPT, 3_600_000);
  #line: Line | undefined;
  #open = false;
  #leaving = false;
  readonly #running: Promise<void>;

  constructor(store: CredentialStore, sink: Sink, canWrite: () => boolean, setup: LinkedSetup) {
    this.#store = store;
    this.#sink = sink;
    this.#canWrite = canWrite;
    this.#setup = setup;
    this.#groups = new GroupBook(sink);
    const voices = {
      fault: (error: unknown) => this.#fault('report', error),
      lost: (line: object | undefined) => this.#reportLost(line),
    };
    this.#reports = new Reports(sink, voices, this.#over.signal, setup.patience);
    const source: SendSource = {
      socket: () => (this.#open ? this.#line?.socket.sock : undefined),
      canWrite,
      addressing: names => sink.addressing(names),
      restricted: () => this.#askRestriction(),
      stuck: () => this.#breakOff(this.#line, 'stuck'),
    };
    const late = (answers: Parameters<Sink['late']>[0]) =>
      void this.#reports.add(undefined, () => sink.late(answers));
    this.#outgoing = new Outgoing(source, this.#groups, late);
    this.#running = this.#run();
  }

  send(wire: Wire, deadline: Date): Promise<SendOutcome> {
    return this.#outgoing.send(wire, deadline);
  }

  vitals(): Vitals {
    const caches = { kept: this.#kept, ...this.#outgoing.caches, ...this.#groups.caches };
    const all = Object.entries({ ...caches, ...this.#line?.caches });
    return {
      deafSockets: this.#endurance.deafEver,
      caches: all.map(([holds, { size, limit }]) => ({ holds, size, limit })),
    };
  }

  async refreshGroups(): Promise<void> {
    const sock = this.#open ? this.#line?.socket.sock : undefined;
    if (sock) await this.#groups.refresh(sock).catch(error => this.#fault('groups', error));
  }

  async close(how: 'release' | 'logout'): Promise<void> {
    this.#leaving = true;
    if (how === 'logout' && this.#open && this.#line) await logOut(this.#line.socket);
    this.#over.abort();
    if (this.#canWrite()) this.#line?.socket.leave();
    else this.#line?.socket.terminate();
    await this.#running;
    await this.#reports.settled();
  }

  /** Whatever goes wrong in here, the connection comes back by itself or says that it does not. */
  async #run(): Promise<void> {
    while (!this.#isOver()) {
      try {
        const auth = await this.#readAuth();
        if (auth) await this.#keepConnected(auth);
        return;
      } catch (error) {
        this.#fault('connection', error);
        this.#endurance.failed();
        await this.#wait('unexpected_end', UNEXPECTED);
      }
    }
  }

  async #keepConnected(auth: Auth): Promise<void> {
    try {
      await this.#keepComingBack(auth);
    } finally {
      await auth.shut();
    }
  }

  async #keepComingBack(auth: Auth): Promise<void> {
    while (!this.#isOver()) {
      if (!this.#endurance.isInTrouble) this.#state({ status: 'connecting' });
      const { ending, why } = await this.#once(auth);
      await auth.settled().catch(error => this.#fault('credentials', error));
      if (!this.#canWrite()) return;
      const verdict = verdictOn(ending, this.#leaving);
      if (verdict.action === 'stop') return;
      if (verdict.action === 'end') {
        await auth.shut();
        this.#state({ status: 'ended', reason: verdict.reason });
        return;
      }
      this.#endurance.failed();
      if (verdict.action === 'reconnect' && !this.#endurance.isInTrouble) continue;
      const pace = verdict.action === 'backoff' ? verdict : { reason: 'restarting', ...UNEXPECTED };
      await this.#wait(why ?? pace.reason, pace);
    }
  }

  /** The database may be away for a moment; what cannot be read again and again is broken. */
  async #readAuth(): Promise<Auth | undefined> {
    for (let tries = 1; !this.#isOver(); tries++) {
      try {
        const auth = await readAuth(this.#store);
        if (auth && accountOf(auth.creds.me)) return auth;
        break;
      } catch (error) {
        this.#fault('credentials', error);
        if (tries >= READ_TRIES) break;
        await pause(backoffMs(UNEXPECTED, tries) * this.#patience, this.#over.signal);
      }
    }
    if (!this.#leaving && !this.#isOver()) this.#state({ status: 'ended', reason: 'credentials_broken' });
    return undefined;
  }

  /** One socket from opening to its end. */
  async #once(auth: Auth): Promise<{ ending: Ending; why: string | undefined }> {
    const line = this.#openLine(auth);
    this.#line = line;
    hear({
      line,
      auth,
      sink: this.#sink,
      reports: this.#reports,
      requests: this.#requests,
      breakOff: why => this.#breakOff(line, why),
      kept: this.#kept,
    });
    this.#listen(auth, line);
    void this.#hurry(line);
    if (this.#over.signal.aborted) line.socket.terminate();
    const ending = await line.socket.ended;
    line.over.abort();
    this.#endurance.ended();
    this.#open = false;
    this.#line = undefined;
    this.#groups.pause();
    this.#restriction.forget();
    this.#outgoing.disconnected();
    this.#reports.drop(line);
    return { ending, why: line.why };
  }

  #openLine(auth: Auth): Line {
    let find: ReturnType<typeof stanzaIndex> = () => undefined;
    const opening = openingOver({
      auth,
      kept: this.#kept,
      find: ciphertext => find(ciphertext),
      keep: raw => this.#keep(raw),
      breakOff: () => this.#breakOff(line, 'store_unavailable'),
    });
    const logger = libraryLog(this.#setup.log, (sentence, error) => {
      // On a socket that is over nothing is confirmed any more.
      const why = this.#line?.socket.sock.ws.isOpen && this.#unheard.reason(sentence, error);
      if (why) this.#breakOff(line, why);
    });
    const socket = openSocket(this.#socketSetup(auth, opening, logger));
    const line: Line = {
      socket,
      caches: { ...socket.caches, ...auth.caches },
      catchUp: new CatchUp(() => this.#tellCaughtUp(line)),
      holdBack: new HoldBack(),
      over: new AbortController(),
      why: undefined,
    };
    find = stanzaIndex(line.socket);
    return line;
  }

  #socketSetup(auth: Auth, opening: Opening, logger: SocketSetup['logger']): SocketSetup {
    return {
      url: this.#setup.url,
      logger,
      auth,
      canWrite: this.#canWrite,
      opening,
      getMessage: async ({ id }) => {
        const payload = id ? await ofStore(() => this.#sink.payloadOf(id)) : undefined;
        return payload && decodeMessage(payload);
      },
      cachedGroupMetadata: group => this.#groups.metadata(group),
      keepAliveMs: KEEP_ALIVE_MS,
      qrMs: undefined,
    };
  }

  #listen(auth: Auth, line: Line): void {
    const { sock } = line.socket;
    sock.ev.on('connection.update', ({ connection, reachoutTimeLock }) => {
      if (connection === 'open') this.#opened(auth, line);
      if (reachoutTimeLock && this.#restriction.told(reachoutTimeLock) && this.#open)
        this.#showStanding(auth);
    });
    sock.ev.on('creds.update', ({ me }) => {
      if (me?.name && this.#open) this.#showStanding(auth);
    });
    line.socket.onStanza(node => {
      if (node.tag === 'ack') this.#outgoing.acknowledged(node);
      this.#groups.follow(sock, node, error => this.#fault('groups', error));
    });
  }

  /** Behind a socket that was deaf, a new one counts only once it has answered. */
  #opened(auth: Auth, line: Line): void {
    this.#endurance.opened();
    const doubtful = this.#endurance.isDoubtful;
    if (!doubtful) this.#ready(auth, line);
    const { sock } = line.socket;
    const signs = {
      isAnswered: () => answersPing(sock, this.#times.answerMs),
      stalledMs: () => line.holdBack.stalledMs(),
    };
    const findings = {
      unsure: (reason: string) => this.#state({ status: 'degraded', reason, stands: true }),
      alive: () => this.#ready(auth, line),
      deaf: (reason: string) => {
        this.#endurance.wentDeaf();
        this.#breakOff(line, reason);
      },
    };
    watchLiveness(signs, findings, this.#times, doubtful, line.over.signal).catch(error =>
      this.#fault('liveness', error),
    );
    void this.#askForRest(line);
  }

  #ready(auth: Auth, line: Line): void {
    const isFirst = !this.#open;
    this.#open = true;
    this.#showStanding(auth);
    if (!isFirst) return;
    line.catchUp.opened();
    this.#groups.refresh(line.socket.sock).catch(error => this.#fault('groups', error));
  }

  /** A login that the server leaves halfway must not be waited for without end. */
  async #hurry(line: Line): Promise<void> {
    await pause(OPENING_MS, line.over.signal);
    if (!line.over.signal.aborted && !this.#endurance.isOpen) this.#breakOff(line, 'not_answering');
  }

  /** Baileys goes on when the request for it has failed; then the server would never bring us anything. */
  async #askForRest(line: Line): Promise<void> {
    const { signal } = line.over;
    for (let asked = 0; asked < 3; asked++) {
      await pause(this.#times.backlogMs, signal);
      if (signal.aborted || line.catchUp.waitedMs() === 0) return;
      if (line.catchUp.waitedMs() < this.#times.backlogMs) continue;
      this.#setup.log.warn({ event: 'linked.backlog_awaited' });
      await askForBacklog(line.socket.sock).catch(error => this.#fault('backlog', error));
    }
  }

  #showStanding(auth: Auth): void {
    const account = accountOf(auth.creds.me);
    const restricted = this.#restriction.now;
    if (restricted) this.#state({ status: 'restricted', reason: 'account_restricted', ...restricted });
    else if (account) this.#state({ status: 'connected', ...account });
  }

  #askRestriction(): void {
    const sock = this.#open ? this.#line?.socket.sock : undefined;
    sock?.fetchAccountReachoutTimelock().catch(error => this.#fault('restriction', error));
  }

  /** Behind all reports of the socket; one that could not be stored leaves it untold. */
  #tellCaughtUp(line: Line): void {
    void this.#reports.add(line, async () => {
      if (line.catchUp.isWhole && this.#open && this.#line === line) await this.#sink.caughtUp();
    });
  }

  /** What the server keeps comes again on another socket; it must not be taken for caught up before. */
  #reportLost(line: object | undefined): void {
    this.#line?.catchUp.missed();
    if (line !== undefined && line === this.#line) this.#breakOff(this.#line, 'store_unavailable');
  }

  #breakOff(line: Line | undefined, why: string): void {
    if (!line) return;
    line.why ??= why;
    line.socket.breakOff();
  }

  async #keep(raw: RawInbound): Promise<boolean> {
    try {
      await inTime(this.#sink.inbound([raw]));
      return true;
    } catch (error) {
      this.#fault('report', error);
      return false;
    }
  }

  async #wait(reason: string, pace: { firstMs: number; maxMs: number }): Promise<void> {
    const ms = backoffMs(pace, this.#endurance.failures) * this.#patience;
    const waiting: ConnectionState = { status: 'waiting', reason, retryAt: new Date(Date.now() + ms) };
    const { isInTrouble } = this.#endurance;
    this.#state(isInTrouble ? { status: 'degraded', reason: this.#endurance.troubleWith(reason) } : waiting);
    await pause(ms, this.#over.signal);
  }

  get #patience(): number {
    return this.#setup.patience ?? 1;
  }

  get #times(): LivenessTimes {
    return { ...LIVENESS, ...this.#setup.liveness };
  }

  #isOver(): boolean {
    return this.#over.signal.aborted || !this.#canWrite();
  }

  #state(state: ConnectionState): void {
    try {
      this.#sink.state(state);
    } catch (error) {
      this.#fault('state', error);
    }
  }

  #fault(what: string, error: unknown): void {
    // After the end, refusals of the store are what is meant to happen.
    if (this.#isOver()) return;
    this.#setup.log.warn({ event: `linked.${what}_failed`, err: error });
  }
}
