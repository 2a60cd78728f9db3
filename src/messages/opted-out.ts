import { sql } from 'kysely';
import { OPTED_OUT, optedOutAmong } from '../contacts/index.ts';
import type { Tx } from '../kernel/index.ts';
import type { Locked } from './book/index.ts';
import type { Guard, Verdict } from './guards.ts';

/**
 * Fails what is addressed to somebody who has opted out since it was accepted. Only the answer to their own word
 * goes through. A group is not a person.
 */
export const keepFromOptedOut: Guard = async (tx, of) => {
  const personal = of.flatMap(({ phone, ...delivery }) => (phone === null ? [] : [{ ...delivery, phone }]));
  const unwanted = [...(await optedOutAmong(tx, personal))];
  const answers = await answersAmong(tx, unwanted);
  const verdict: Verdict = { end: 'failed', why: OPTED_OUT };
  return new Map(
    unwanted.flatMap(({ deliveryId }) => (answers.has(deliveryId) ? [] : [[deliveryId, verdict] as const])),
  );
};

type Sent = Pick<Locked, 'workspaceId' | 'deliveryId' | 'messageId'>;

async function answersAmong(tx: Tx, deliveries: Sent[]): Promise<Set<string>> {
  if (deliveries.length === 0) return new Set();
  const wanted = deliveries.map(of => ({ w: of.workspaceId, d: of.deliveryId, m: of.messageId }));
  const { rows } = await sql<{ d: string }>`
    select k.d from json_to_recordset(${JSON.stringify(wanted)}::json) as k(w uuid, d uuid, m uuid)
    join messages m on m.workspace_id = k.w and m.id = k.m
    where m.source = 'consent'
  `.execute(tx);
  return new Set(rows.map(row => row.d));
}
