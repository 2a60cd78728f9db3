import type { Account } from '../phones/account.ts';
import type { Group } from '../server/groups.ts';
import { type Certificates, createCertificates } from '../wire/certificates.ts';
import type { Connection } from '../wire/connection.ts';
import { ConnectionLog } from '../wire/connection-log.ts';
import { Changes } from './changes.ts';
import { Faults } from './faults.ts';
import { Ledger } from './ledger.ts';
import { Random } from './random.ts';

export type WorldOptions = {
  /** Seed of all chance; the same seed gives the same ids. */
  seed?: number;
  /** Default habits of the phones: report delivery at once (yes), reading at once (no, but when the chat is opened). */
  autoDelivered?: boolean;
  autoRead?: boolean;
  /** Whether a phone hands its chats to a new companion (yes). */
  history?: boolean;
};

/** Everything that exists: accounts with their phones and companions, groups, open sockets, faults and the ledger. */
export type World = {
  accounts: Map<string, Account>;
  accountsByLid: Map<string, Account>;
  groups: Map<string, Group>;
  /** All open sockets, also those that are only pairing. */
  connections: Set<Connection>;
  connectionLog: ConnectionLog;
  /** Pairing references that are on show now, each with the socket that shows it. */
  references: Map<string, Connection>;
  certificates: Certificates;
  random: Random;
  changes: Changes;
  ledger: Ledger;
  faults: Faults;
  habits: { autoDelivered: boolean; autoRead: boolean };
  history: boolean;
};

export function createWorld(options: WorldOptions = {}): World {
  const changes = new Changes();
  return {
    accounts: new Map(),
    accountsByLid: new Map(),
    groups: new Map(),
    connections: new Set(),
    connectionLog: new ConnectionLog(),
    references: new Map(),
    certificates: createCertificates(),
    random: new Random(options.seed ?? 1),
    changes,
    ledger: new Ledger(changes),
    faults: new Faults(),
    habits: { autoDelivered: options.autoDelivered ?? true, autoRead: options.autoRead ?? false },
    history: options.history ?? true,
  };
}
