import { e164, lid } from '../phones/account.ts';
import { handOver } from '../phones/history.ts';
import type { Connection } from '../wire/connection.ts';
import type { Login } from '../wire/noise.ts';
import { SERVER, seconds, stanza } from '../wire/stanza.ts';
import { flushBacklog } from './delivery.ts';
import { offerPairing } from './pairing.ts';

/** Decides about a client whose handshake is done: a new device to pair, a known one to let in, or a refusal. */
export function admit(connection: Connection, login: Login): void {
  const { payload, noiseKey } = login;
  const digits = String(payload.username ?? '');
  const refused = connection.world.faults.spendLoginRefusal(digits);
  if (refused) refuse(connection, refused);
  else if (payload.devicePairingData) offerPairing(connection, payload.devicePairingData, noiseKey);
  else logIn(connection, digits, payload.device ?? 0, noiseKey);
}

/** The companion asked for its messages: from now on it is live. A new one also gets the phone's chats. */
export function goLive(connection: Connection): void {
  const { world, account, companion } = connection;
  if (!companion || !account) return;
  const count = flushBacklog(world, account, companion, connection);
  connection.live = true;
  world.changes.announce();
  connection.send(stanza('ib', { from: SERVER }, [stanza('offline', { count: String(count) })]));
  handOver(world, account, companion);
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
