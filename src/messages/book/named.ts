import { sql } from 'kysely';
import type { Tx } from '../../kernel/index.ts';
import type { Named, ReceiptKey } from './book.ts';

export async function findNamed<T>(
  tx: Tx,
  words: { workspaceId: string; channelId: string; providerId: string; word: T }[],
): Promise<Named<T>[]> {
  if (words.length === 0) return [];
  const wanted = words.map(({ workspaceId, channelId, providerId }, n) => ({
    n,
    w: workspaceId,
    c: channelId,
    p: providerId,
  }));
  const { rows } = await sql<{ n: number; w: string; d: string; a: string }>`
    select i.n, p.workspace_id as w, p.delivery_id as d, p.attempt_id as a
    from json_to_recordset(${JSON.stringify(wanted)}::json) as i(n integer, w uuid, c uuid, p text)
    join provider_ids p on p.workspace_id = i.w and p.channel_id = i.c and p.provider_id = i.p
  `.execute(tx);
  return rows.flatMap(row => {
    const of = words[row.n];
    return of ? [{ workspaceId: row.w, deliveryId: row.d, attemptId: row.a, word: of.word }] : [];
  });
}

export async function insertReceipts(tx: Tx, keys: ReceiptKey[]): Promise<ReceiptKey[]> {
  if (keys.length === 0) return [];
  const rows = keys.map(key => ({
    w: key.workspaceId,
    d: key.deliveryId,
    r: key.recipient,
    k: key.kind,
    id: key.id,
    at: key.at,
    implied: key.implied,
  }));
  const { rows: fresh } = await sql<{ id: string }>`
    with r as (
      select * from json_to_recordset(${JSON.stringify(rows)}::json)
        as r(w uuid, d uuid, r text, k text, id uuid, at timestamptz, implied boolean)
    ), fresh as (
      insert into receipt_keys (workspace_id, delivery_id, recipient, kind) select w, d, r, k from r
      on conflict do nothing returning delivery_id, recipient, kind
    ), stored as (
      insert into receipts (workspace_id, id, delivery_id, recipient, kind, at)
      select r.w, r.id, r.d, r.r, r.k, r.at
      from r join fresh f on f.delivery_id = r.d and f.recipient = r.r and f.kind = r.k
      where not r.implied
    )
    select r.id from r join fresh f on f.delivery_id = r.d and f.recipient = r.r and f.kind = r.k
  `.execute(tx);
  const ids = new Set(fresh.map(row => row.id));
  return keys.filter(key => ids.has(key.id));
}
