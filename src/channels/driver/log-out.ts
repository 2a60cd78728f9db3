import { outsideTransaction } from '../../kernel/index.ts';
import type { Adapter, ConnectionState, CredentialStore, Sink } from '../adapters/contract.ts';
import type { Place } from '../place.ts';

const PATIENCE_MS = 15_000;

/**
 * Makes the provider forget stored credentials, best effort: connects, says so, and gives up after 15 s or at the
 * signal. Nothing that comes in meanwhile is reported.
 */
export async function logOut(
  place: Place,
  adapter: Adapter,
  store: CredentialStore,
  signal: AbortSignal,
): Promise<void> {
  if (!(await adapter.linkedAccount(store))) return;
  const { promise: ready, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, PATIENCE_MS);
  signal.addEventListener('abort', () => resolve(), { once: true });
  const sink = deafTo(state => {
    if (state.status === 'connected' || state.status === 'restricted' || state.status === 'ended') resolve();
  });
  const held = () => place.lease.held();
  const connection = outsideTransaction(() => adapter.connect(store, sink, held));
  await ready;
  clearTimeout(timer);
  await connection.close(signal.aborted ? 'release' : 'logout');
}

function deafTo(state: (state: ConnectionState) => void): Sink {
  const nothing = async () => undefined;
  return {
    state,
    groups: nothing,
    groupsChanged: nothing,
    inbound: nothing,
    receipts: nothing,
    late: nothing,
    caughtUp: nothing,
    addressing: async () => 'go_on',
    payloadOf: nothing,
    groupMetadata: nothing,
  };
}
