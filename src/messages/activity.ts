import { record, type Scope, type Tx } from '../kernel/index.ts';

/** The facts that this room records about a message. */
export type MessageFacts = {
  'message.accepted': { delivery_id: string; channel_id: string; due_at: string; source: string };
  'message.sent': { delivery_id: string; attempt: number };
  'message.delivered': { delivery_id: string };
  'message.read': { delivery_id: string };
  'message.failed': { delivery_id: string; reason: string };
  'message.unknown': { delivery_id: string; reason: string };
  'message.cancelled': { delivery_id: string };
  'message.missed': { delivery_id: string; reason: string };
};

/** Records a fact about a message in the caller's transaction. */
export function recordMessage<T extends keyof MessageFacts>(
  tx: Tx,
  scope: Scope,
  type: T,
  messageId: string,
  payload: MessageFacts[T],
): Promise<void> {
  return record(tx, scope, { type, subject: { type: 'message', id: messageId }, payload });
}
