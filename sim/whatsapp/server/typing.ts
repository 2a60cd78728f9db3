import { type Account, accountOf, e164 } from '../phones/account.ts';
import { child, isGroupId, readAddress, type Stanza } from '../wire/stanza.ts';
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
