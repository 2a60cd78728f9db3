import { hash } from 'node:crypto';

/** What the hash of a fact is made of, besides its place in the chain. */
export type ChainedFact = {
  workspace_id: string;
  id: string;
  type: string;
  actor_kind: string;
  actor_id: string | null;
  address: string | null;
  subject_type: string;
  subject_id: string;
  /** When it happened, in whole ms. */
  at: number;
  digest: Buffer;
};

/** The columns of a ChainedFact, of the table `activity` under the name `a`. */
export const CHAINED_COLUMNS = `a.workspace_id, a.id, a.type, a.actor_kind, a.actor_id, a.address, a.subject_type,
  a.subject_id, a.digest, floor(date_part('epoch', a.occurred_at) * 1000 + 0.0005) as at`;

/** The hash that a workspace's first fact is chained to. */
export const BEGINNING = Buffer.alloc(32);

/** Over everything but the payload, which only its salted digest stands for. */
export function hashOf(before: Buffer, seq: number, fact: ChainedFact): Buffer {
  const fields = [
    fact.workspace_id,
    seq,
    fact.id,
    fact.type,
    fact.actor_kind,
    fact.actor_id,
    fact.address,
    fact.subject_type,
    fact.subject_id,
    String(fact.at),
  ];
  return hash('sha256', Buffer.concat([before, Buffer.from(JSON.stringify(fields)), fact.digest]), 'buffer');
}
