import { type Account, accountOf, deviceIds, lid } from '../phones/account.ts';
import {
  bytesOf,
  child,
  children,
  digitsOf,
  pnAddress,
  readAddress,
  type Stanza,
  stanza,
} from '../wire/stanza.ts';
import type { World } from '../world/world.ts';
import type { Answer } from './queries.ts';

/** Who is on WhatsApp, with which devices and which LID; asked by address or by phone number. */
export function answerUsync(world: World, node: Stanza): Answer {
  const asked = child(node, 'usync');
  if (!asked) return { error: 400 };
  const wanted = new Set(children(child(asked, 'query')).map(protocol => protocol.tag));
  const users = children(child(asked, 'list'), 'user').map(user => answerUser(world, user, wanted));
  const { sid, mode, context } = asked.attrs;
  const attributes = { sid, mode, context, index: '0', last: 'true' };
  return [stanza('usync', attributes, [stanza('list', {}, users)])];
}

function answerUser(world: World, user: Stanza, wanted: Set<string>): Stanza {
  const typed = child(user, 'contact');
  const digits = digitsOf(typed?.content ? bytesOf(typed).toString() : '');
  const jid = user.attrs.jid ?? pnAddress(digits ?? '0');
  const address = readAddress(jid);
  const account = accountOf(world, address);
  const content: Stanza[] = [];
  if (wanted.has('contact')) content.push(stanza('contact', { type: account ? 'in' : 'out' }));
  if (account && wanted.has('devices')) content.push(devicesOf(account));
  // Asked by LID, the answer stays silent about it: Baileys would store the LID as its own phone number.
  if (account && wanted.has('lid') && address?.form === 'pn')
    content.push(stanza('lid', { val: lid(account) }));
  return stanza('user', { jid }, content);
}

/** Companions without a key index are ignored by the client. */
function devicesOf(account: Account): Stanza {
  const devices = deviceIds(account).map(id =>
    stanza('device', { id: String(id), 'key-index': id ? String(id) : undefined }),
  );
  return stanza('devices', {}, [stanza('device-list', {}, devices)]);
}
