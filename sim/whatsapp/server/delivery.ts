import type { Account, Companion } from '../phones/account.ts';
import type { Connection } from '../wire/connection.ts';
import { bytesOf, type Stanza, stanza } from '../wire/stanza.ts';
import type { World } from '../world/world.ts';

/** Owes the stanza to the companion and sends it now when the companion is live. */
export function deliver(world: World, account: Account, companion: Companion, given: Stanza): void {
  const node = world.faults.hidesNumbers(account.digits) ? withoutNumber(given) : given;
  companion.backlog.add(node);
  const connection = companion.connection;
  if (connection?.live) transmit(world, account, companion, connection, node);
}

export function deliverToAll(world: World, account: Account, node: Stanza): void {
  for (const companion of account.companions.values()) deliver(world, account, companion, node);
}

/** Sends all that waited, marked as offline; returns how many. */
export function flushBacklog(
  world: World,
  account: Account,
  companion: Companion,
  connection: Connection,
): number {
  const nodes = companion.backlog.takeForLogin();
  for (const node of nodes) {
    transmit(world, account, companion, connection, { ...node, attrs: { ...node.attrs, offline: '0' } });
  }
  return nodes.length;
}

function transmit(
  world: World,
  account: Account,
  companion: Companion,
  connection: Connection,
  node: Stanza,
): void {
  const { faults, random } = world;
  const { digits } = account;
  if (random.chance(faults.rate(digits, 'drop'))) return;
  companion.backlog.wasSent(node);
  const shown = damaged(world, account, node);
  if (random.chance(faults.rate(digits, 'reorder'))) {
    connection.link.hold(shown, faults.rate(digits, 'latency_ms'));
    return;
  }
  connection.send(shown);
  if (random.chance(faults.rate(digits, 'duplicate'))) {
    companion.backlog.wasSent(node);
    connection.send(shown);
  }
}

/** The sender of a message by LID alone, as a server does that keeps numbers to itself. */
function withoutNumber(node: Stanza): Stanza {
  const { sender_lid: sender, participant_pn: _pn, ...attrs } = node.attrs;
  if (node.tag !== 'message') return node;
  return { ...node, attrs: sender ? { ...attrs, from: sender, addressing_mode: 'lid' } : attrs };
}

/** Takes out the content, or flips the last byte of each ciphertext, when that is due; the kept copy stays whole. */
function damaged(world: World, account: Account, node: Stanza): Stanza {
  if (node.tag !== 'message' || !Array.isArray(node.content)) return node;
  if (world.faults.spend(account.digits, 'withhold')) return { ...node, content: [withheld()] };
  if (!world.faults.spend(account.digits, 'corrupt_inbound')) return node;
  const content = node.content.map(one =>
    one.tag === 'enc' ? { ...one, content: flipLastByte(bytesOf(one)) } : one,
  );
  return { ...node, content };
}

/** In place of a content that this device is not to show, nor to ask the phone for. */
export function withheld(): Stanza {
  return stanza('unavailable', { type: 'view_once_unavailable_fanout' });
}

export function flipLastByte(bytes: Buffer): Buffer {
  const copy = Buffer.from(bytes);
  const last = copy.length - 1;
  if (last >= 0) copy[last] = (copy[last] ?? 0) ^ 0xff;
  return copy;
}
