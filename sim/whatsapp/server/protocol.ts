import type { Connection, Protocol } from '../wire/connection.ts';
import { type Stanza, stanza } from '../wire/stanza.ts';
import { admit } from './login.ts';
import { answerQuery } from './queries.ts';
import { takeReceipt } from './receipts.ts';
import { routeMessage } from './routing.ts';
import { passTyping } from './typing.ts';

/** The server's part of the protocol. */
export const whatsApp: Protocol = { admit, handle };

/** Unknown tags are taken without an answer, as by the real server. */
async function handle(connection: Connection, node: Stanza): Promise<void> {
  if (isDeaf(connection, node)) return;
  if (node.tag === 'iq') return answerQuery(connection, node);
  const { account, companion } = connection;
  if (!account || !companion) return;
  if (node.tag === 'message') return routeMessage(connection, account, companion, node);
  if (node.tag === 'receipt') {
    const { id, to, type } = node.attrs;
    connection.send(stanza('ack', { class: 'receipt', id, from: to, type }));
    return takeReceipt(connection.world, account, companion, node);
  }
  if (node.tag === 'ack') companion.backlog.confirmByAck(node);
  else if (node.tag === 'chatstate') passTyping(connection.world, account, node);
}

/** The last question of a login is about keys; a socket that goes deaf has opened before. */
function isDeaf({ account, live, world }: Connection, node: Stanza): boolean {
  return (
    account !== undefined && live && node.attrs.xmlns !== 'encrypt' && world.faults.isDeaf(account.digits)
  );
}
