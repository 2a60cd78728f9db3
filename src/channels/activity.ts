import { type By, type NewFact, record, type Tx } from '../kernel/index.ts';

/** The facts that this room records. */
export type ChannelFacts = {
  'channel.created': { kind: string; label: string };
  'channel.renamed': { label: string };
  'channel.pairing_started': { method: string };
  'channel.pairing_failed': { reason: string };
  'channel.paired': { phone: string };
  'channel.connected': Record<string, never>;
  'channel.disconnected': { reason: string };
  'channel.degraded': { reason: string };
  'channel.restricted': { reason: string; until: string | null };
  /** A person let it send before its restriction was over. */
  'channel.resumed': Record<string, never>;
  'channel.unpaired': { reason: string };
  'channel.removed': { label: string };
  'group.added': { channel_id: string; subject: string };
  'group.renamed': { channel_id: string; subject: string };
  'group.archived': { channel_id: string; subject: string };
};

export function channelFact<T extends keyof ChannelFacts>(
  type: T,
  subjectId: string,
  payload: ChannelFacts[T],
): NewFact {
  return { type, subject: { type: type.startsWith('group.') ? 'group' : 'channel', id: subjectId }, payload };
}

/** Records a fact about a channel or a group in the caller's transaction. */
export function recordChannel<T extends keyof ChannelFacts>(
  tx: Tx,
  by: By,
  type: T,
  subjectId: string,
  payload: ChannelFacts[T],
): Promise<void> {
  return record(tx, by, channelFact(type, subjectId, payload));
}
