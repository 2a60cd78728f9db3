import { outsideTransaction } from '../../kernel/index.ts';
import type {
  Adapter,
  Connection,
  ConnectionState,
  CredentialStore,
  EndReason,
} from '../adapters/contract.ts';
import type { Place } from '../place.ts';
import { haltAfter, type Look } from '../policy.ts';
import { type Report, StateLog } from './report.ts';
import { type Goal, halt, writeLook } from './rows.ts';

export type Links = {
  /** The connection can send from now on, or cannot any more. */
  ready(connection: Connection | undefined): void;
  /** All that had waited for the connection is stored; false again once it has ended. */
  caughtUp(isSo: boolean): void;
  /** A new connection to the provider stands. */
  opened(): void;
  /** What it is doing now, and the connection while there is one. */
  seen(status: string, connection: Connection | undefined): void;
};

type Ended = { reason: EndReason } | 'aborted';

/**
 * Keeps a linked number connected until something else is wanted or the connection is over for good, which halts
 * the channel. `closing` says at an abort whether the device is logged out as well; it was, when true comes back.
 */
export async function runConnected(
  run: { place: Place; adapter: Adapter; store: CredentialStore; goal: Goal; report: Report; links: Links },
  signal: AbortSignal,
  closing: () => 'release' | 'logout',
): Promise<boolean> {
  const { place, adapter, store, goal, report, links } = run;
  const states = new StateLog(place, goal);
  const { promise: over, resolve } = Promise.withResolvers<Ended>();
  const seen: { state: ConnectionState; connection: Connection | undefined } = {
    state: { status: 'connecting' },
    connection: undefined,
  };
  const tell = () => links.ready(seen.state.status === 'connected' ? seen.connection : undefined);
  const onState = (state: ConnectionState) => {
    if (signal.aborted) return;
    if (isOpen(state) && !isOpen(seen.state)) links.opened();
    seen.state = state;
    if (!isOpen(state)) links.caughtUp(false);
    if (state.status === 'ended') resolve(state);
    else states.write(state);
    tell();
    links.seen(state.status, seen.connection);
  };
  const sink = report.sinkFor(onState, () => {
    if (!signal.aborted && isOpen(seen.state)) links.caughtUp(true);
  });
  const connection = outsideTransaction(() => adapter.connect(store, sink, () => place.lease.held()));
  seen.connection = connection;
  links.seen(seen.state.status, connection);
  tell();
  signal.addEventListener('abort', () => resolve('aborted'), { once: true });
  if (signal.aborted) resolve('aborted');
  const ended = await over;
  links.caughtUp(false);
  links.ready(undefined);
  const how = ended === 'aborted' ? closing() : 'release';
  const stood = isOpen(seen.state);
  await connection.close(how);
  links.seen('idle', undefined);
  await states.written();
  if (ended !== 'aborted') await halt(place, goal, ...halted(place, ended.reason));
  else if (how === 'release' && place.lease.held()) await writeLook(place, goal, RELEASED);
  return how === 'logout' && stood;
}

function isOpen(state: ConnectionState): boolean {
  if (state.status === 'degraded') return state.stands === true;
  return state.status === 'connected' || state.status === 'restricted';
}

/** Nobody drives it for the moment: the next node writes what is. */
const RELEASED: Look = { status: 'connecting', reason: 'restarting', until: null };

function halted(place: Place, reason: EndReason): [Look, boolean] {
  const { status, unpairs, retryAfterMs } = haltAfter(reason);
  const now = place.kernel.clock.now().getTime();
  const until = retryAfterMs === undefined ? null : new Date(now + retryAfterMs);
  return [{ status, reason, until }, unpairs];
}
