import type { BinaryNode } from 'baileys';
import type { LateAnswer } from '../contract.ts';
import { isNamedByUs, isSelf, type Self } from './ids.ts';
import { idsOf, instantOf, readReceipt } from './receipts.ts';

/** Receipts that only a message which the server took can have, whoever they come from. */
const RECEIPTS = new Set(['', 'inactive', 'sender', 'retry', 'read', 'played']);

/**
 * What a stanza proves to have been sent although no ack told so: our own message that comes back to us, a phone
 * that asks for it again, a receipt of our own devices or of a group as a whole. Other receipts speak for
 * themselves. Pure; ids that are not ours may be among them.
 */
export function provenSent(node: BinaryNode, self: Self, now = new Date()): LateAnswer[] {
  const at = instantOf(node.attrs.t, now);
  return idsIn(node, self)
    .filter(isNamedByUs)
    .map(providerId => ({ providerId, outcome: { outcome: 'accepted', at, providerId } }));
}

/** The server has handed over all that had waited for this number. */
export function isEndOfBacklog(node: BinaryNode): boolean {
  return (
    node.tag === 'ib' && Array.isArray(node.content) && node.content.some(({ tag }) => tag === 'offline')
  );
}

function idsIn(node: BinaryNode, self: Self): string[] {
  const { id, from, participant, type, category } = node.attrs;
  if (node.tag === 'message')
    return id && category !== 'peer' && isSelf(participant ?? from, self) ? [id] : [];
  if (node.tag !== 'receipt' || !RECEIPTS.has(type ?? '') || readReceipt(node, self)) return [];
  return idsOf(node);
}
