import { deliver } from '../server/delivery.ts';
import { bundleContent } from '../server/prekeys.ts';
import { seconds, stanza } from '../wire/stanza.ts';
import type { World } from '../world/world.ts';
import { type Account, lid, pn } from './account.ts';
import type { Arrival } from './arrival.ts';

const MAX_RETRIES = 5;

/** A phone could not read a message: asks the sending companion for it again, with fresh keys. */
export async function askAgain(world: World, account: Account, arrival: Arrival): Promise<void> {
  const { sender, device, node } = arrival;
  const companion = sender.companions.get(device);
  const id = node.attrs.id ?? '';
  const count = account.asked.next(`${sender.digits}:${device}:${id}`);
  if (!companion || count > MAX_RETRIES) return;
  const group = world.groups.get(node.attrs.to ?? '');
  const own = sender === account;
  const attributes = {
    id,
    type: 'retry',
    from: group ? group.id : own ? pn(account) : node.attrs.to,
    participant: group ? lid(account) : undefined,
    recipient: own && !group ? node.attrs.to : undefined,
    t: seconds(),
  };
  const bundle = bundleContent(await account.phone.bundle());
  const [registration, ...keys] = bundle;
  const content = [
    stanza('retry', { count: String(count), id, t: seconds(), v: '1' }),
    ...(registration ? [registration] : []),
    stanza('keys', {}, keys),
  ];
  deliver(world, sender, companion, stanza('receipt', attributes, content));
}
