import type { Connection } from './connection.ts';
import { answerQuery } from './queries.ts';
import { takeReceipt } from './receipts.ts';
import { routeMessage } from './routing.ts';
import { type Stanza, stanza } from './stanza.ts';
import { passTyping } from './typing.ts';

/** What the server does with one stanza of a client. Unknown tags are taken without an answer, as on the real one. */
export async function handleStanza(connection: Connection, node: Stanza): Promise<void> {
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
