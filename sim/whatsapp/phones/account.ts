import { Backlog } from '../server/backlog.ts';
import type { KeyBundle, PublicKey } from '../server/prekeys.ts';
import type { Connection } from '../wire/connection.ts';
import { type Address, lidAddress, pnAddress, readAddress } from '../wire/stanza.ts';
import type { World } from '../world/world.ts';
import { Counter } from './counter.ts';
import { Phone, type PhoneState } from './phone.ts';
import { Screen } from './screen.ts';

/** A linked device of an account: what the server knows of it. */
export type Companion = {
  id: number;
  platform: string;
  since: Date;
  noiseKey: Buffer;
  registrationId: number;
  identity: Buffer;
  signed: KeyBundle['signed'];
  /** Unused one-time keys that the companion has uploaded. */
  oneTime: PublicKey[];
  backlog: Backlog;
  connection: Connection | undefined;
  /** True once history was handed over, so that it is sent to a new companion only. */
  introduced: boolean;
};

export type Account = {
  digits: string;
  lid: string;
  name: string;
  phone: Phone;
  screen: Screen;
  companions: Map<number, Companion>;
  nextDevice: number;
  /** Phones of official apps report delivery at once, and reading when the chat is opened. */
  habits: { autoDelivered: boolean; autoRead: boolean };
  /** What the phone could not do while it was switched off. */
  waiting: (() => void)[];
  /** Own messages that a companion may ask for again. */
  sent: Map<string, SentMessage>;
  /** How often the phone has asked for a message that it could not read. */
  asked: Counter;
};

export type SentMessage = { chat: string; group: string | undefined; text: string; retries: number };
export type DeviceRef = { account: Account; device: number };

export const MAX_COMPANIONS = 4;
const MAX_WAITING = 10_000;

/** `state` brings back a phone of an earlier run. */
export function addAccount(
  world: World,
  digits: string,
  name: string,
  lid: string,
  state?: PhoneState,
): Account {
  const account: Account = {
    digits,
    lid,
    name,
    phone: new Phone(digits, lid, state),
    screen: new Screen(world.changes),
    companions: new Map(),
    nextDevice: 1,
    habits: { ...world.habits },
    waiting: [],
    sent: new Map(),
    asked: new Counter(1000),
  };
  world.accounts.set(digits, account);
  world.accountsByLid.set(lid, account);
  world.changes.announce();
  return account;
}

export function accountOf(world: World, address: Address | undefined): Account | undefined {
  if (!address) return undefined;
  return address.form === 'lid' ? world.accountsByLid.get(address.user) : world.accounts.get(address.user);
}

/** The device behind a wire address; undefined when the account or the companion does not exist. */
export function deviceAt(world: World, jid: string | undefined): DeviceRef | undefined {
  const address = readAddress(jid);
  const account = accountOf(world, address);
  if (!address || !account) return undefined;
  return address.device === 0 || account.companions.has(address.device)
    ? { account, device: address.device }
    : undefined;
}

export function deviceIds(account: Account): number[] {
  return [0, ...account.companions.keys()];
}

export function createCompanion(
  fields: Omit<Companion, 'since' | 'backlog' | 'connection' | 'introduced'>,
): Companion {
  return { ...fields, since: new Date(), backlog: new Backlog(), connection: undefined, introduced: false };
}

export function pn(account: Account, device = 0): string {
  return pnAddress(account.digits, device);
}

export function lid(account: Account, device = 0): string {
  return lidAddress(account.lid, device);
}

export function e164(account: Account): string {
  return `+${account.digits}`;
}

/** Does the work now, or once the phone is switched on again. */
export function whenOnline(world: World, account: Account, work: () => void): void {
  if (!world.faults.isOffline(account.digits)) {
    work();
    return;
  }
  account.waiting.push(work);
  if (account.waiting.length > MAX_WAITING) account.waiting.shift();
}

export function comeOnline(account: Account): void {
  for (const work of account.waiting.splice(0)) work();
}
