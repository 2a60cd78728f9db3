import { type Account, type Companion, deviceAt, lid, pn } from '../phones/account.ts';
import { composeAgain } from '../phones/compose.ts';
import { child, type Stanza, seconds, stanza } from '../wire/stanza.ts';
import type { World } from '../world/world.ts';
import { deliver } from './delivery.ts';
import { readRetryBundle } from './prekeys.ts';

const MAX_RETRIES = 5;

/** A companion could not read a message: its author sends it again, at most five times. */
export async function answerRetry(
  world: World,
  reader: Account,
  companion: Companion,
  node: Stanza,
): Promise<void> {
  const author = deviceAt(world, node.attrs.participant ?? node.attrs.to);
  if (!author) return;
  if (author.device !== 0) {
    passRetryOn(world, reader, companion, node, author.account, author.device);
    return;
  }
  const sent = author.account.sent.get(node.attrs.id ?? '');
  if (!sent || sent.retries >= MAX_RETRIES * 10) return;
  sent.retries += 1;
  const count = Number(child(node, 'retry')?.attrs.count ?? '1');
  if (count > MAX_RETRIES) return;
  await composeAgain(
    world,
    author.account,
    { account: reader, companion },
    {
      id: node.attrs.id ?? '',
      sent,
      count,
      bundle: readRetryBundle(node),
    },
  );
}

/** The author is a companion itself: it gets the request as it came. */
function passRetryOn(
  world: World,
  reader: Account,
  companion: Companion,
  node: Stanza,
  author: Account,
  device: number,
): void {
  const target = author.companions.get(device);
  if (!target) return;
  const group = world.groups.get(node.attrs.to ?? '');
  const attributes = {
    id: node.attrs.id,
    type: 'retry',
    from: group ? group.id : pn(reader, companion.id),
    participant: group ? lid(reader, companion.id) : undefined,
    recipient: node.attrs.recipient,
    t: seconds(),
  };
  deliver(
    world,
    author,
    target,
    stanza('receipt', attributes, Array.isArray(node.content) ? node.content : []),
  );
}
