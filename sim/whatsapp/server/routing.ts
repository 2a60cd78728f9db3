import {
  type Account,
  accountOf,
  type Companion,
  type DeviceRef,
  deviceAt,
  deviceIds,
  lid,
  pn,
} from '../phones/account.ts';
import { arrive } from '../phones/arrival.ts';
import type { Connection } from '../wire/connection.ts';
import { child, children, isGroupId, readAddress, type Stanza, seconds, stanza } from '../wire/stanza.ts';
import type { World } from '../world/world.ts';
import { deliver, withheld } from './delivery.ts';
import type { Group } from './groups.ts';

/** Which ciphertexts of a message go to which device. */
type Parcel = DeviceRef & { encs: Stanza[] };

/** Takes a message of a companion: answers with an ack or a refusal and passes it on to each recipient's devices. */
export function routeMessage(
  connection: Connection,
  account: Account,
  companion: Companion,
  node: Stanza,
): void {
  const { world } = connection;
  const { faults, random } = world;
  const { digits } = account;
  if (random.chance(faults.rate(digits, 'drop'))) return;
  if (faults.spend(digits, 'cut_on_arrival')) {
    connection.cut('cut on arrival');
    return;
  }

  const refused = faults.spendNack(digits) ?? refusalOf(world, account, node);
  if (refused) {
    acknowledge(connection, node, refused);
    return;
  }
  const cutBefore = faults.spend(digits, 'cut_before_ack');
  if (!cutBefore) acknowledge(connection, node);
  passOn(world, account, companion, node);
  if (cutBefore) connection.cut('cut before ack');
  else if (faults.spend(digits, 'cut_after_ack')) cutOnceWritten(connection);
  if (faults.spend(digits, 'echo')) deliver(world, account, companion, echoOf(account, companion, node));
}

/** Names us as the author; there is nothing in it to decrypt, nor to ask the phone for. */
function echoOf(account: Account, companion: Companion, node: Stanza): Stanza {
  const { id, to = '' } = node.attrs;
  const sender = { group: lid(account, companion.id), person: pn(account, companion.id) };
  const whose = isGroupId(to)
    ? { from: to, participant: sender.group }
    : { from: sender.person, recipient: to };
  return stanza('message', { id, ...whose, type: 'text', t: seconds() }, [withheld()]);
}

function acknowledge(connection: Connection, node: Stanza, error?: number): void {
  const { id, to, participant } = node.attrs;
  const attributes = { class: 'message', id, from: to, participant, t: seconds(), error: error?.toString() };
  connection.send(stanza('ack', attributes));
}

/** The ack has to reach the client before the reset does. */
function cutOnceWritten(connection: Connection): void {
  setTimeout(() => connection.cut('cut after ack'), 20).unref();
}

/** 404 for a recipient that does not exist, 403 for a group that the sender is not in. */
function refusalOf(world: World, account: Account, node: Stanza): number | undefined {
  const to = node.attrs.to ?? '';
  const group = world.groups.get(to);
  if (isGroupId(to) && !group) return 404;
  if (group) return group.members.includes(account) ? undefined : 403;
  return accountOf(world, readAddress(to)) ? undefined : 404;
}

function passOn(world: World, account: Account, companion: Companion, node: Stanza): void {
  const group = world.groups.get(node.attrs.to ?? '');
  for (const parcel of parcelsOf(world, account, companion, node, group).values()) {
    if (parcel.device === 0) {
      arrive(world, parcel.account, { sender: account, device: companion.id, node, encs: parcel.encs });
    } else forward(world, account, companion, node, parcel);
  }
}

function parcelsOf(
  world: World,
  account: Account,
  companion: Companion,
  node: Stanza,
  group: Group | undefined,
) {
  const parcels = new Map<string, Parcel>();
  const add = (ref: DeviceRef | undefined, encs: Stanza[]) => {
    if (!ref || (ref.account === account && ref.device === companion.id)) return;
    const key = `${ref.account.digits}:${ref.device}`;
    const known = parcels.get(key);
    if (known) known.encs.push(...encs);
    else parcels.set(key, { ...ref, encs: [...encs] });
  };
  for (const to of children(child(node, 'participants'), 'to')) {
    add(deviceAt(world, to.attrs.jid), children(to, 'enc'));
  }
  const shared = children(node, 'enc');
  if (shared.length === 0) return parcels;
  const only = node.attrs.participant ?? (group ? undefined : node.attrs.to);
  if (only) add(deviceAt(world, only), shared);
  else if (group) {
    for (const member of group.members) {
      for (const device of deviceIds(member)) add({ account: member, device }, shared);
    }
  }
  return parcels;
}

/** Another companion gets the same ciphertext in a stanza that names the sending device. */
function forward(world: World, sender: Account, from: Companion, node: Stanza, parcel: Parcel): void {
  const companion = parcel.account.companions.get(parcel.device);
  if (!companion) return;
  const { id, to = '', type, category } = node.attrs;
  const group = world.groups.get(to);
  const common = { id, type, category, t: seconds(), notify: sender.name };
  const own = parcel.account === sender;
  const attributes = group
    ? {
        ...common,
        from: group.id,
        participant: lid(sender, from.id),
        participant_pn: pn(sender, from.id),
        addressing_mode: 'lid',
      }
    : {
        ...common,
        from: pn(sender, from.id),
        sender_lid: lid(sender, from.id),
        recipient: own ? (node.attrs.recipient ?? to) : undefined,
        addressing_mode: 'pn',
      };
  const identity = children(node, 'device-identity');
  deliver(world, parcel.account, companion, stanza('message', attributes, [...parcel.encs, ...identity]));
}
