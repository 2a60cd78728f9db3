import { type Account, addAccount, type Companion, createCompanion } from '../phones/account.ts';
import type { PhoneState } from '../phones/phone.ts';
import type { ScreenMessage } from '../phones/screen.ts';
import type { Group } from '../server/groups.ts';
import type { Certificates } from '../wire/certificates.ts';
import type { Stanza } from '../wire/stanza.ts';
import type { LedgerEntry } from './ledger.ts';
import type { World } from './world.ts';

/** Everything that outlives a restart. Faults, open sockets and what waits for a switched-off phone do not. */
export type Snapshot = {
  version: 1;
  certificates: Certificates;
  random: number;
  accounts: AccountState[];
  groups: (Omit<Group, 'members' | 'owner' | 'createdAt'> & {
    members: string[];
    owner: string;
    createdAt: string;
  })[];
  ledger: LedgerEntry[];
};

type AccountState = Pick<Account, 'digits' | 'lid' | 'name' | 'nextDevice' | 'habits'> & {
  phone: PhoneState;
  chats: [string, ScreenMessage[]][];
  sent: [string, NonNullable<ReturnType<Account['sent']['get']>>][];
  companions: (Omit<Companion, 'since' | 'backlog' | 'connection'> & { since: string; backlog: Stanza[] })[];
};

export function takeSnapshot(world: World): Snapshot {
  return {
    version: 1,
    certificates: world.certificates,
    random: world.random.state,
    accounts: [...world.accounts.values()].map(stateOf),
    groups: [...world.groups.values()].map(group => ({
      ...group,
      members: group.members.map(member => member.digits),
      owner: group.owner.digits,
      createdAt: group.createdAt.toISOString(),
    })),
    ledger: world.ledger.list(),
  };
}

/** Fills an empty world. */
export function restore(world: World, snapshot: Snapshot): void {
  if (snapshot.version !== 1) throw new Error(`unknown version ${String(snapshot.version)}`);
  world.certificates = snapshot.certificates;
  world.random.state = snapshot.random;
  for (const account of snapshot.accounts) restoreAccount(world, account);
  for (const { members, owner, createdAt, ...group } of snapshot.groups) {
    const known = members.flatMap(digits => world.accounts.get(digits) ?? []);
    const owned = world.accounts.get(owner);
    if (!owned) throw new Error(`group ${group.id} without its owner`);
    world.groups.set(group.id, { ...group, members: known, owner: owned, createdAt: new Date(createdAt) });
  }
  world.ledger.restore(snapshot.ledger);
}

function stateOf(account: Account): AccountState {
  const { digits, lid, name, nextDevice, habits } = account;
  return {
    digits,
    lid,
    name,
    nextDevice,
    habits,
    phone: account.phone.state(),
    chats: [...account.screen.chats()].map(([id, messages]) => [id, [...messages]]),
    sent: [...account.sent],
    companions: [...account.companions.values()].map(({ connection: _open, ...companion }) => ({
      ...companion,
      since: companion.since.toISOString(),
      backlog: companion.backlog.list(),
    })),
  };
}

function restoreAccount(world: World, state: AccountState): void {
  const account = addAccount(world, state.digits, state.name, state.lid, state.phone);
  account.nextDevice = state.nextDevice;
  account.habits = state.habits;
  account.screen.restore(state.chats);
  for (const [id, message] of state.sent) account.sent.set(id, message);
  for (const { since, backlog, introduced, ...fields } of state.companions) {
    const companion = createCompanion(fields);
    companion.since = new Date(since);
    companion.introduced = introduced;
    for (const node of backlog) companion.backlog.add(node);
    account.companions.set(companion.id, companion);
  }
}
