import type { NewFact } from '../kernel/index.ts';
import type { Journey } from './journey.ts';

/** The facts that this room records about a message. */
export type MessageFacts = {
  /** Taken by Convoke; not yet on its way. */
  'message.accepted': { delivery_id: string; channel_id: string; due_at: string; source: string };
  'message.sent': { delivery_id: string };
  /** All recipients have it. What single recipients report is in the receipts. */
  'message.delivered': { delivery_id: string };
  'message.read': { delivery_id: string };
  'message.failed': { delivery_id: string; reason: string | null };
  'message.unknown': { delivery_id: string; reason: string | null };
  'message.cancelled': { delivery_id: string };
  /** A person decided about an unknown message. */
  'message.resolved': { delivery_id: string; as: 'arrived' | 'send_again' | 'give_up' };
  /** Queued once more after it was unknown, by a person or by the workspace's rule. */
  'message.sent_again': { delivery_id: string };
  'message.missed': { delivery_id: string; reason: string | null };
};

/** What was parked or armed is the subject: a channel, or the workspace. */
export type ParkingFacts = {
  /** Nothing of it reaches the wire any more; `by_operator` = the whole installation was parked. */
  'sending.parked': { reason: string; by_operator: boolean };
  /** It goes on. `overdue` says what was decided about what had become too late meanwhile. */
  'sending.armed': { overdue: 'send' | 'miss' | null; by_operator: boolean };
};

/** The whole settings after the change; null = as advised. */
export type PacingFacts = { 'pacing.changed': Record<string, number | null> };

export function parkingFact<T extends keyof ParkingFacts>(
  type: T,
  of: { workspaceId: string; channelId?: string | undefined },
  payload: ParkingFacts[T],
): NewFact {
  const subject =
    of.channelId === undefined
      ? { type: 'workspace', id: of.workspaceId }
      : { type: 'channel', id: of.channelId };
  return { type, subject, payload };
}

export function messageFact<T extends keyof MessageFacts>(
  type: T,
  messageId: string,
  payload: MessageFacts[T],
): NewFact {
  return { type, subject: { type: 'message', id: messageId }, payload };
}

/** What is worth telling between two stages of a journey; several steps may have been made at once. */
export function factsBetween(
  before: Journey,
  after: Journey,
  of: { messageId: string; deliveryId: string },
): NewFact[] {
  const delivery_id = of.deliveryId;
  const facts: NewFact[] = [];
  if (!before.sentAt && after.sentAt) facts.push(messageFact('message.sent', of.messageId, { delivery_id }));
  if (!before.deliveredAt && after.deliveredAt)
    facts.push(messageFact('message.delivered', of.messageId, { delivery_id }));
  if (!before.readAt && after.readAt) facts.push(messageFact('message.read', of.messageId, { delivery_id }));
  const { status, reason } = after;
  if (status === before.status) return facts;
  if (status === 'queued' && before.status === 'unknown')
    facts.push(messageFact('message.sent_again', of.messageId, { delivery_id }));
  else if (status === 'cancelled')
    facts.push(messageFact('message.cancelled', of.messageId, { delivery_id }));
  else if (status === 'failed' || status === 'unknown' || status === 'missed')
    facts.push(messageFact(`message.${status}`, of.messageId, { delivery_id, reason }));
  return facts;
}
