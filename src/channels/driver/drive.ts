import type { Adapter, Connection, CredentialStore } from '../adapters/contract.ts';
import { credentialStore } from '../credentials.ts';
import { pause } from '../pause.ts';
import type { Place } from '../place.ts';
import type { ChannelVitals, Driven } from '../ports.ts';
import { type Links, runConnected } from './connected-run.ts';
import { Flights } from './flights.ts';
import { HandOn } from './hand-on.ts';
import { logOut } from './log-out.ts';
import { runPairing } from './pairing-run.ts';
import { logFault, type Ports, Report } from './report.ts';
import { type Goal, settleUnlinked } from './rows.ts';

const STUMBLE_MS = 1_000;
/** A room that takes nothing must not keep the channel from what is wanted of it next. */
const DRAIN_MS = 30_000;
/** What was begun a moment before a hand-over still goes out here; an answer takes at most so long. */
const BEGUN_MS = 2_000;
const LANDING_MS = 70_000;

/** Who is told of the channel: that it begins or ceases to be able to send, and that it has caught up. */
export type Tell = { ready(): void; caughtUp(): void };

/** Connections that this process has opened so far. */
let openings = 0;

/** One channel in the hands of this node: does what is wanted until nothing is left to do or the lease is gone. */
export class Drive {
  readonly place: Place;
  readonly #adapter: Adapter;
  readonly #ports: Ports;
  readonly #handOn: HandOn;
  readonly #onReady: () => void;
  readonly #onCaughtUp: () => void;
  #goal: Goal;
  #turn = new AbortController();
  #stopped = false;
  #connection: Connection | undefined;
  #flights: Flights | undefined;
  #handsOver = false;
  #caughtUp = false;
  #opening = 0;
  #status = 'idle';
  #watched: Connection | undefined;
  #decryptFailures = 0;
  readonly done: Promise<void>;

  constructor(place: Place, adapter: Adapter, goal: Goal, ports: Ports, tell: Tell) {
    this.place = place;
    this.#adapter = adapter;
    this.#goal = goal;
    this.#ports = ports;
    this.#handOn = new HandOn(place, adapter, ports.sink);
    this.#onReady = tell.ready;
    this.#onCaughtUp = tell.caughtUp;
    place.lease.lost.addEventListener('abort', () => this.#stop(), { once: true });
    this.done = this.#run();
  }

  /** What is wanted now; an older or equal generation changes nothing. */
  aim(goal: Goal): void {
    if (goal.generation <= this.#goal.generation) return;
    this.#goal = goal;
    this.#turn.abort();
  }

  /** There is something to hand on: whoever stored it may not have learnt that it is stored. */
  handOn(): void {
    this.#handOn.wake();
  }

  /** The connection while it can send. */
  get driven(): Driven | undefined {
    if (!this.#flights) return undefined;
    const { workspaceId, channelId, lease } = this.place;
    return {
      workspaceId,
      channelId,
      adapter: this.#adapter,
      connection: this.#flights.connection,
      fence: lease.fence,
      held: () => lease.held(),
      caughtUp: () => this.#caughtUp,
      opening: () => this.#opening,
    };
  }

  get vitals(): ChannelVitals {
    return {
      channelId: this.place.channelId,
      status: this.#status,
      caughtUp: this.#caughtUp,
      decryptFailures: this.#decryptFailures,
      ...(this.#watched?.vitals?.() ?? { deafSockets: 0, caches: [] }),
    };
  }

  async refreshGroups(): Promise<void> {
    await this.#connection?.refreshGroups?.();
  }

  /** Lets the channel go: the connection is closed, the credentials stay valid. */
  async stop(): Promise<void> {
    this.#stop();
    await this.done;
  }

  /** Lets the channel go to another node, once what is on the wire has been answered. */
  async handOver(): Promise<void> {
    const flights = this.#flights;
    if (this.#handsOver || !flights) return;
    this.#handsOver = true;
    this.#ready(undefined);
    await pause(BEGUN_MS, this.#turn.signal);
    await flights.landed(AbortSignal.any([this.#turn.signal, AbortSignal.timeout(LANDING_MS)]));
    await this.stop();
  }

  #stop(): void {
    this.#stopped = true;
    this.#turn.abort();
  }

  async #run(): Promise<void> {
    try {
      const wake = () => this.#handOn.wake();
      wake();
      const unreadable = (count: number) => {
        this.#decryptFailures += count;
      };
      const report = new Report(this.place, this.#ports, { stored: wake, unreadable });
      const store = await credentialStore(this.place, wake);
      while (!this.#stopped && (await this.#pursue(report, store)));
    } catch (error) {
      logFault(this.place, 'drive', error);
      await pause(STUMBLE_MS, this.place.lease.lost);
    }
    this.#ready(undefined);
    await this.#handOn.stop();
    await this.place.lease.release().catch(error => logFault(this.place, 'release', error));
  }

  /** One goal; true when there is another one. A fault of the database or the like is tried again. */
  async #pursue(report: Report, store: CredentialStore): Promise<boolean> {
    const goal = this.#goal;
    this.#turn = new AbortController();
    const { signal } = this.#turn;
    try {
      const next = await this.#act(goal, report, store, signal);
      if (next && this.#goal === goal) this.#goal = next;
      if (this.#goal === goal)
        await this.#handOn.drained(AbortSignal.any([signal, AbortSignal.timeout(DRAIN_MS)]));
      return this.#goal !== goal;
    } catch (error) {
      logFault(this.place, 'drive', error);
      if (!signal.aborted) await pause(STUMBLE_MS, signal);
      return true;
    }
  }

  async #act(
    goal: Goal,
    report: Report,
    store: CredentialStore,
    signal: AbortSignal,
  ): Promise<Goal | undefined> {
    const { place } = this;
    const adapter = this.#adapter;
    if (goal.rests) return undefined;
    this.#status = goal.wanted === 'pairing' ? 'pairing' : 'idle';
    if (goal.wanted === 'pairing') return runPairing(place, adapter, store, goal, signal);
    if (goal.wanted === 'connected') {
      const links: Links = {
        ready: connection => this.#ready(connection),
        opened: () => {
          this.#opening = ++openings;
        },
        caughtUp: isSo => {
          this.#caughtUp = isSo;
          if (isSo) this.#onCaughtUp();
        },
        seen: (status, connection) => {
          this.#status = status;
          this.#watched = connection;
        },
      };
      const run = { place, adapter, store, goal, report, links };
      const loggedOut = await runConnected(run, signal, () => (this.#isLeaving() ? 'logout' : 'release'));
      if (loggedOut) await settleUnlinked(place);
      return undefined;
    }
    await logOut(place, adapter, store, signal).catch(error => logFault(place, 'log_out', error));
    // Whoever takes over after an end of the program tries it again.
    if (!this.#stopped) await settleUnlinked(place);
    return undefined;
  }

  #isLeaving(): boolean {
    return !this.#stopped && (this.#goal.wanted === 'unpaired' || this.#goal.wanted === 'deleted');
  }

  #ready(ready: Connection | undefined): void {
    const connection = this.#handsOver ? undefined : ready;
    if (this.#connection === connection) return;
    this.#connection = connection;
    this.#flights = connection && new Flights(connection);
    this.#onReady();
  }
}
