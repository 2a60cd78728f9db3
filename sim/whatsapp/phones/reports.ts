import { deliverToAll } from '../server/delivery.ts';
import { isGroupId, seconds, stanza } from '../wire/stanza.ts';
import type { World } from '../world/world.ts';
import { type Account, accountOf, e164, lid, whenOnline } from './account.ts';

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
