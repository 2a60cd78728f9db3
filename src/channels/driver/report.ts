import { linkNames } from '../../contacts/index.ts';
import { LeaseLost, mintScope, outsideTransaction } from '../../kernel/index.ts';
import type { ConnectionState, LinkedAccount, Sink } from '../adapters/contract.ts';
import { groupMetadata, syncAllGroups, syncSomeGroups } from '../group-sync.ts';
import { takeIn } from '../intake.ts';
import { pause } from '../pause.ts';
import { fenced, type Place } from '../place.ts';
import { lookOf } from '../policy.ts';
import type { InboundSink, OutboundPayloads } from '../ports.ts';
import { type Goal, type LookFact, writeLook } from './rows.ts';

export type Ports = { sink: InboundSink; payloads: OutboundPayloads };

/** About as long as a lease lasts without the database. */
const TRIES = 30;
const AGAIN_MS = 1_000;

type Living = Exclude<ConnectionState, { status: 'ended' }>;

type Heard = {
  /** There is something new to hand on, or may be: the answer to a commit can get lost. */
  stored(): void;
  /** So many messages came that could not be read, each try counted. */
  unreadable(count: number): void;
};

/** Takes what a connection reports to where it belongs: rows, intake and the rooms to the right. */
export class Report {
  readonly #place: Place;
  readonly #ports: Ports;
  readonly #heard: Heard;

  constructor(place: Place, ports: Ports, heard: Heard) {
    this.#place = place;
    this.#ports = ports;
    this.#heard = heard;
  }

  sinkFor(onState: (state: ConnectionState) => void, onCaughtUp: () => void): Sink {
    const place = this.#place;
    const { workspaceId, channelId } = place;
    const { sink, payloads } = this.#ports;
    return {
      state: onState,
      groups: all => syncAllGroups(place, all),
      groupsChanged: (changed, gone) => syncSomeGroups(place, changed, gone),
      inbound: async raw => {
        const vault = await place.kernel.secrets.vault(workspaceId);
        let mayBeNew = true;
        try {
          mayBeNew = await fenced(place, 'channels.intake', tx => takeIn(tx, place, vault, raw));
        } finally {
          if (mayBeNew) this.#heard.stored();
        }
        this.#heard.unreadable(raw.filter(one => one.standsFor !== undefined).length);
      },
      receipts: async facts => {
        // Not stored, so not confirmed: it comes again, to whoever drives the channel now.
        if (!place.lease.held()) throw new LeaseLost(place.lease.name);
        await sink.receipts(workspaceId, channelId, facts);
      },
      late: answers => sink.late(workspaceId, channelId, answers),
      caughtUp: async () => onCaughtUp(),
      addressing: async names => {
        const scope = mintScope(place.kernel, workspaceId, { kind: 'system' });
        return (await outsideTransaction(() => linkNames(scope, names))) ? 'opted_out' : 'go_on';
      },
      payloadOf: id => payloads.payloadOf(workspaceId, channelId, id),
      groupMetadata: id => groupMetadata(place, id),
    };
  }
}

/** Writes the states of one connection as they come, in order, and notes the facts worth keeping. */
export class StateLog {
  readonly #place: Place;
  readonly #goal: Goal;
  #last: Living | undefined;
  #writing: Promise<unknown> = Promise.resolve();
  readonly #closing = new AbortController();

  constructor(place: Place, goal: Goal) {
    this.#place = place;
    this.#goal = goal;
  }

  write(state: Living): void {
    const fact = factOf(this.#last, state);
    this.#last = state;
    const account: LinkedAccount | undefined = state.status === 'connected' ? state : undefined;
    this.#writing = this.#writing.then(() =>
      this.#inSpite(() => writeLook(this.#place, this.#goal, lookOf(state), account, fact)),
    );
  }

  /** The connection is over: what cannot be written now is left to what comes after it. */
  async written(): Promise<void> {
    this.#closing.abort();
    await this.#writing;
  }

  /** A connection that stands tells its state once, so a short absence of the database must not swallow it. */
  async #inSpite(work: () => Promise<void>): Promise<void> {
    const over = AbortSignal.any([this.#closing.signal, this.#place.lease.lost]);
    for (let tries = 0; tries < TRIES; tries++) {
      try {
        await work();
        return;
      } catch (error) {
        logFault(this.#place, 'write_status', error);
        if (error instanceof LeaseLost || over.aborted) return;
        await pause(AGAIN_MS, over);
      }
    }
  }
}

/** Trouble is told for each reason: the next one may ask for something else of people. */
function factOf(before: Living | undefined, now: Living): LookFact | undefined {
  if (now.status === 'degraded')
    return before?.status === 'degraded' && before.reason === now.reason ? undefined : 'channel.degraded';
  if (before?.status === now.status) return undefined;
  if (now.status === 'connected') return 'channel.connected';
  if (now.status === 'restricted') return 'channel.restricted';
  return before?.status === 'connected' ? 'channel.disconnected' : undefined;
}

/** A lost lease is no fault: another node goes on. */
export function logFault(place: Place, what: string, error: unknown): void {
  if (error instanceof LeaseLost || place.lease.lost.aborted) return;
  place.kernel.log.warn({ event: `channels.${what}_failed`, channel_id: place.channelId, err: error });
}
