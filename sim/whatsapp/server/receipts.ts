import { type Account, accountOf, type Companion, e164 } from '../phones/account.ts';
import { recipientsOf } from '../phones/reports.ts';
import { child, children, isGroupId, readAddress, type Stanza } from '../wire/stanza.ts';
import type { World } from '../world/world.ts';
import { answerRetry } from './retry-requests.ts';

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
