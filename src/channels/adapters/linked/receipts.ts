import type { BinaryNode, WASocket } from 'baileys';
import type { ReceiptFact } from '../contract.ts';
import { isConversation, isGroup, isLid, isSelf, personName, type Self } from './ids.ts';

/** `inactive` = delivered to a device whose app is not open. */
const KINDS: Record<string, ReceiptFact['kind']> = {
  '': 'delivered',
  inactive: 'delivered',
  read: 'read',
  played: 'read',
};

const TOLD_TO_THE_MS = 1_500;

/** What a receipt stanza says about our messages; `who` is the reader's address. Pure. */
export function readReceipt(
  node: BinaryNode,
  self: Self,
  now = new Date(),
): { ids: string[]; fact: Omit<ReceiptFact, 'providerId' | 'recipient'>; who: string } | undefined {
  const { id, from, participant, type, t } = node.attrs;
  const kind = KINDS[type ?? ''];
  if (!id || !from || !kind || !isConversation(from)) return undefined;
  // In a group only the participant says who; without one it is a summary for all.
  const who = isGroup(from) ? participant : from;
  if (!who || isSelf(who, self)) return undefined;
  return { ids: idsOf(node), fact: { kind, at: instantOf(t, now) }, who };
}

/** WhatsApp tells whole seconds: within the last one our own clock knows better than its beginning. */
export function instantOf(seconds: string | undefined, now: Date): Date {
  if (seconds === undefined) return now;
  const told = Number(seconds) * 1000;
  const since = now.getTime() - told;
  return since >= 0 && since < TOLD_TO_THE_MS ? now : new Date(told);
}

/** One fact per message; the reader by number where the number of the LID is known. */
export async function receiptFacts(node: BinaryNode, sock: WASocket): Promise<ReceiptFact[]> {
  const self = sock.user;
  const read = self && readReceipt(node, self);
  if (!read) return [];
  const phone = isLid(read.who) ? await sock.signalRepository.lidMapping.getPNForLID(read.who) : undefined;
  const recipient = personName(read.who, phone ?? undefined);
  return read.ids.map(providerId => ({ providerId, recipient, ...read.fact }));
}

/** The messages that a receipt is about: the one of the stanza and those of its list. */
export function idsOf(node: BinaryNode): string[] {
  const first = node.attrs.id ? [node.attrs.id] : [];
  if (!Array.isArray(node.content)) return first;
  const list = node.content.find(({ tag }) => tag === 'list');
  if (!Array.isArray(list?.content)) return first;
  return [
    ...first,
    ...list.content.flatMap(({ tag, attrs }) => (tag === 'item' && attrs.id ? [attrs.id] : [])),
  ];
}
