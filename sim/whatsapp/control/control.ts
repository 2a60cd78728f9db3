import { z } from 'zod';
import { type Account, addAccount, comeOnline } from '../phones/account.ts';
import { type Chat, compose } from '../phones/compose.ts';
import { reportRead } from '../phones/reports.ts';
import { addMember, createGroup, type Group, removeMember, renameGroup } from '../server/groups.ts';
import { enterCode } from '../server/link-code.ts';
import { scan, unlink } from '../server/pairing.ts';
import { typeOnPhone } from '../server/typing.ts';
import type { LoggedConnection } from '../wire/connection-log.ts';
import { digitsOf, isGroupId } from '../wire/stanza.ts';
import { type FaultsPatch, faultsPatch } from '../world/faults.ts';
import type { LedgerEntry } from '../world/ledger.ts';
import { Refusal } from '../world/refusal.ts';
import type { World } from '../world/world.ts';
import { type GroupView, groupView, type PhoneView, phonesView, phoneView } from './views.ts';

type FaultsState = ReturnType<World['faults']['view']>;

const MAX_PHONES = 20_000;

/** What a person or a test can do to the simulated world; the HTTP API has one route for each. Refusals are thrown. */
export type Control = {
  phones(): PhoneView[];
  addPhone(number: string, name: string): PhoneView;
  setHabits(
    number: string,
    habits: { auto_delivered?: boolean | undefined; auto_read?: boolean | undefined },
  ): PhoneView;
  /** Reads a QR code with this phone's camera; gives the new device's number. */
  scan(number: string, qr: string): number;
  /** Types the eight characters of a pairing code into this phone. */
  linkCode(number: string, code: string): Promise<number>;
  /** Unlinks one device, or all without `device`; gives the numbers of the unlinked. */
  unlink(number: string, device?: number): number[];
  /** Writes a text to a phone number or a group id; gives the message id. */
  send(number: string, to: string, text: string): string;
  /** Shows the others that this phone is typing, until it stops, sends or 15 s have passed. */
  typing(number: string, to: string, typing: boolean): void;
  /** Opens a chat on the phone, which reports its messages as read; gives how many were new. */
  read(number: string, chat: string): number;
  ledger(since?: Date): LedgerEntry[];
  groups(): GroupView[];
  createGroup(subject: string, members: string[]): GroupView;
  renameGroup(id: string, subject: string, by?: string): GroupView;
  addMember(id: string, number: string, by?: string): GroupView;
  /** Without `by` the member leaves by itself. */
  removeMember(id: string, number: string, by?: string): GroupView;
  faults(): FaultsState;
  setFaults(patch: FaultsPatch): FaultsState;
  connections(): { open: LoggedConnection[]; closed: LoggedConnection[] };
};

export function createControl(world: World): Control {
  return {
    ...phoneControl(world),
    ...groupControl(world),
    ledger: since => world.ledger.list(since),
    faults: () => world.faults.view(),
    setFaults: patch => setFaults(world, patch),
    connections: () => world.connectionLog.view(),
  };
}

function phoneControl(world: World) {
  return {
    phones: () => phonesView(world),
    addPhone(number: string, name: string): PhoneView {
      const digits = digitsOf(number);
      if (!digits) throw new Refusal(422, 'number: is not a phone number in E.164.');
      if (world.accounts.has(digits)) throw new Refusal(409, `+${digits} exists already.`);
      if (world.accounts.size >= MAX_PHONES)
        throw new Refusal(409, `There are ${MAX_PHONES} phones already.`);
      return phoneView(world, addAccount(world, digits, name, `9${world.random.digits(14)}`));
    },
    setHabits(
      number: string,
      habits: { auto_delivered?: boolean | undefined; auto_read?: boolean | undefined },
    ) {
      const account = phoneOf(world, number);
      account.habits.autoDelivered = habits.auto_delivered ?? account.habits.autoDelivered;
      account.habits.autoRead = habits.auto_read ?? account.habits.autoRead;
      world.changes.announce();
      return phoneView(world, account);
    },
    scan: (number: string, qr: string) => scan(world, phoneOf(world, number), qr),
    linkCode: async (number: string, code: string) => enterCode(world, phoneOf(world, number), code),
    unlink(number: string, device?: number): number[] {
      const account = phoneOf(world, number);
      const devices = device === undefined ? [...account.companions.keys()] : [device];
      const done = devices.filter(one => unlink(world, account, one));
      if (device !== undefined && done.length === 0)
        throw new Refusal(404, `This phone has no device ${device}.`);
      return done;
    },
    send: (number: string, to: string, text: string) =>
      compose(world, phoneOf(world, number), chatOf(world, to), text),
    typing(number: string, to: string, typing: boolean): void {
      typeOnPhone(phoneOf(world, number), chatOf(world, to), typing);
    },
    read(number: string, chat: string): number {
      const account = phoneOf(world, number);
      const digits = digitsOf(chat);
      return reportRead(world, account, isGroupId(chat) || !digits ? chat : `+${digits}`);
    },
  };
}

function groupControl(world: World) {
  return {
    groups: () => [...world.groups.values()].map(groupView),
    createGroup(subject: string, members: string[]): GroupView {
      const [owner, ...others] = members.map(number => phoneOf(world, number));
      if (!owner) throw new Refusal(422, 'members: at least one is needed, the first becomes the owner.');
      return groupView(createGroup(world, owner, subject, others));
    },
    renameGroup(id: string, subject: string, by?: string): GroupView {
      const group = groupOf(world, id);
      renameGroup(world, group, by ? phoneOf(world, by) : group.owner, subject);
      return groupView(group);
    },
    addMember(id: string, number: string, by?: string): GroupView {
      const group = groupOf(world, id);
      const actor = by ? phoneOf(world, by) : group.owner;
      if (!addMember(world, group, actor, phoneOf(world, number)))
        throw new Refusal(409, `${number} is in it already.`);
      return groupView(group);
    },
    removeMember(id: string, number: string, by?: string): GroupView {
      const group = groupOf(world, id);
      const member = phoneOf(world, number);
      const actor = by ? phoneOf(world, by) : member;
      if (!removeMember(world, group, actor, member))
        throw new Refusal(404, `${number} is not in this group.`);
      return groupView(group);
    },
  };
}

function setFaults(world: World, input: FaultsPatch): FaultsState {
  const parsed = faultsPatch.safeParse(input);
  if (!parsed.success) throw new Refusal(400, z.prettifyError(parsed.error));
  const patch = parsed.data;
  for (const digits of [patch.number, ...(patch.offline ?? [])]) if (digits) phoneOf(world, digits);
  world.faults.apply(patch);
  for (const account of world.accounts.values()) {
    if (!world.faults.isOffline(account.digits)) comeOnline(account);
  }
  for (const connection of world.connections) {
    if (!connection.account || (patch.number && connection.account.digits !== patch.number)) continue;
    if (patch.stream_error) {
      connection.endWithStreamError(
        String(patch.stream_error.code),
        `stream error ${patch.stream_error.code}`,
      );
    } else if (patch.cut) connection.cut('cut');
  }
  world.changes.announce();
  return world.faults.view();
}

function phoneOf(world: World, number: string): Account {
  const account = world.accounts.get(digitsOf(number) ?? '');
  if (!account) throw new Refusal(404, `There is no phone ${number} in the simulator.`);
  return account;
}

function groupOf(world: World, id: string): Group {
  const group = world.groups.get(isGroupId(id) ? id : `${id}@g.us`);
  if (!group) throw new Refusal(404, `There is no group ${id} in the simulator.`);
  return group;
}

function chatOf(world: World, to: string): Chat {
  return isGroupId(to) ? { group: groupOf(world, to) } : { peer: phoneOf(world, to) };
}
