import { type Account, accountOf, type Companion, e164, lid, whenOnline } from './account.ts';
import { deliverToAll } from './delivery.ts';
import { answerRetry } from './retry.ts';
import { child, children, isGroupId, readAddress, type Stanza, seconds, stanza } from './stanza.ts';
import type { World } from './world.ts';

/** A phone tells the sender's companions and phone that the message is there. */
export function reportDelivered(
  world: World,
  reader: Account,
  sender: Account,
  wireChat: string,
  id: string,
): void {
  report(world, reader, sender, wireChat, id, 'delivered');
}

/** The owner opens a chat: all that was unread in it is reported as read. Returns how many messages. */
export function reportRead(world: World, reader: Account, chat: string): number {
  const unread = reader.screen.open(chat);
  for (const message of unread) {
    const sender = accountOf(world, { user: message.from.slice(1), device: 0, form: 'pn' });
    if (sender) report(world, reader, sender, message.wireChat, message.id, 'read');
  }
  return unread.length;
}

function report(
  world: World,
  reader: Account,
  sender: Account,
  wireChat: string,
  id: string,
  tick: 'delivered' | 'read',
): void {
  const group = isGroupId(wireChat);
  const chat = group ? wireChat : e164(reader);
  sender.screen.mark(chat, id, tick, e164(reader), recipientsOf(world, sender, wireChat));
  const type = tick === 'read' ? 'read' : undefined;
  const attributes = group
    ? { id, from: wireChat, participant: lid(reader), type, t: seconds() }
    : { id, from: wireChat, type, t: seconds() };
  whenOnline(world, reader, () => deliverToAll(world, sender, stanza('receipt', attributes)));
}

export function recipientsOf(world: World, sender: Account, wireChat: string): number {
  const group = world.groups.get(wireChat);
  return group ? group.members.filter(member => member !== sender).length : 1;
}

/** A companion's receipt: confirms what it got, ticks the phone that wrote it, or asks for a message again. */
export function takeReceipt(
  world: World,
  account: Account,
  companion: Companion,
  node: Stanza,
): Promise<void> | void {
  const { type } = node.attrs;
  if (type === 'retry') return answerRetry(world, account, companion, node);
  const ids = [
    node.attrs.id ?? '',
    ...children(child(node, 'list'), 'item').map(item => item.attrs.id ?? ''),
  ];
  if (type === undefined || type === 'inactive' || type === 'sender' || type === 'peer_msg') {
    companion.backlog.confirmMessages(ids);
  }
  const { to = '', participant } = node.attrs;
  const author = accountOf(world, readAddress(participant ?? to));
  if (!author || author === account) return;
  const tick = type === 'read' ? 'read' : 'delivered';
  if (tick === 'delivered' && type !== undefined && type !== 'inactive') return;
  const chat = isGroupId(to) ? to : e164(account);
  for (const id of ids) author.screen.mark(chat, id, tick, e164(account), recipientsOf(world, author, to));
  if (tick === 'read') account.screen.open(isGroupId(to) ? to : e164(author));
}
