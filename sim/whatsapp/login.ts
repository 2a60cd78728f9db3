import { e164, lid } from './account.ts';
import type { Connection } from './connection.ts';
import { flushBacklog } from './delivery.ts';
import type { Login } from './noise.ts';
import { offerPairing } from './pairing.ts';
import { SERVER, seconds, stanza } from './stanza.ts';

/** Decides about a client whose handshake is done: a new device to pair, a known one to let in, or a refusal. */
export function admit(connection: Connection, login: Login): void {
  const { payload, noiseKey } = login;
  const digits = String(payload.username ?? '');
  const refused = connection.world.faults.spendLoginRefusal(digits);
  if (refused) refuse(connection, refused);
  else if (payload.devicePairingData) offerPairing(connection, payload.devicePairingData, noiseKey);
  else logIn(connection, digits, payload.device ?? 0, noiseKey);
}

/** The companion asked for its messages: from now on it is live. */
export function goLive(connection: Connection): void {
  if (!connection.companion || !connection.account) return;
  const count = flushBacklog(connection.world, connection.account, connection.companion, connection);
  connection.live = true;
  connection.send(stanza('ib', { from: SERVER }, [stanza('offline', { count: String(count) })]));
}

function logIn(connection: Connection, digits: string, device: number, noiseKey: Buffer): void {
  const { world } = connection;
  const account = world.accounts.get(digits);
  const companion = account?.companions.get(device);
  if (!account || !companion?.noiseKey.equals(noiseKey)) {
    refuse(connection, 401);
    return;
  }
  const older = companion.connection;
  companion.connection = connection;
  older?.endWithStreamError(undefined, 'replaced', [stanza('conflict', { type: 'replaced' })]);
  connection.account = account;
  connection.companion = companion;
  connection.logged = world.connectionLog.opened(e164(account), companion.id);
  connection.send(
    stanza('success', { t: seconds(), lid: lid(account, companion.id), location: 'lla', props: '1' }),
  );
  world.changes.announce();
}

function refuse(connection: Connection, reason: number): void {
  connection.end(stanza('failure', { reason: String(reason), location: 'lla' }), `refused ${reason}`);
}
