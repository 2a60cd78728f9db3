import { type Account, accountOf, e164, lid, pn } from '../phones/account.ts';
import type { Chat } from '../phones/compose.ts';
import { child, isGroupId, readAddress, type Stanza, stanza } from '../wire/stanza.ts';
import type { World } from '../world/world.ts';

/** Shows on the other handsets that a companion is typing; nothing of it is kept. */
export function passTyping(world: World, from: Account, node: Stanza): void {
  const to = node.attrs.to ?? '';
  const typing = child(node, 'composing') !== undefined;
  const group = world.groups.get(to);
  const readers = group
    ? group.members.filter(member => member !== from)
    : [accountOf(world, readAddress(to))];
  for (const reader of readers) {
    reader?.screen.showTyping(isGroupId(to) ? to : e164(from), e164(from), typing);
  }
}

/** The owner of a phone starts or stops typing: seen on the other phones and by live companions. */
export function typeOnPhone(author: Account, chat: Chat, typing: boolean): void {
  const readers = 'group' in chat ? chat.group.members.filter(one => one !== author) : [chat.peer];
  const group = 'group' in chat ? chat.group.id : undefined;
  const attributes = group ? { from: group, participant: lid(author) } : { from: pn(author) };
  const state = stanza('chatstate', attributes, [stanza(typing ? 'composing' : 'paused')]);
  for (const reader of readers) {
    reader.screen.showTyping(group ?? e164(author), e164(author), typing);
    for (const { connection } of reader.companions.values()) if (connection?.live) connection.send(state);
  }
}
