import { sql } from 'kysely';
import type { ReceiptFact } from '../channels/index.ts';
import { type GroupCommit, groupCommit, hint, type Kernel, newId, type Tx } from '../kernel/index.ts';
import { applyReceipts } from './journey.ts';
import { lockJourneys, writeJourneys } from './journeys.ts';

export type ReceiptItem = { workspaceId: string; channelId: string; fact: ReceiptFact };

export type ReceiptIntake = GroupCommit<ReceiptItem, void>;

const BATCH = 500;

/**
 * Stores receipts in batches. Each counts once per delivery, recipient and kind, whatever order and
 * number they come in; those of messages that are not ours are dropped. A receipt may overtake the
 * answer to its attempt: its provider id is known since before the send.
 */
export function createReceiptIntake(kernel: Kernel): ReceiptIntake {
  return groupCommit(
    async items => {
      await kernel.database.inEngine('messages.receipts', tx => storeReceipts(tx, items));
      // Most receipts change only a count and are no fact; open pages show the count all the same.
      for (const workspaceId of new Set(items.map(item => item.workspaceId))) {
        hint({ kernel, workspaceId }, 'deliveries');
      }
      return items.map(() => undefined);
    },
    { max: BATCH },
  );
}

type Key = {
  id: string;
  workspaceId: string;
  deliveryId: string;
  recipient: string;
  kind: 'delivered' | 'read';
  at: Date;
  /** Follows from another receipt and was not sent by anybody. */
  implied: boolean;
};

async function storeReceipts(tx: Tx, items: ReceiptItem[]): Promise<void> {
  const known = await findDeliveries(tx, items);
  const locked = await lockJourneys(tx, known);
  const fresh = await insertReceipts(tx, keysOf(known));
  const counts = new Map<string, { delivered: number; read: number; at: Date }>();
  for (const { deliveryId, kind, at } of fresh) {
    const count = counts.get(deliveryId) ?? { delivered: 0, read: 0, at };
    count[kind] += 1;
    if (at > count.at) count.at = at;
    counts.set(deliveryId, count);
  }
  await writeJourneys(
    tx,
    [...locked.values()].flatMap(delivery => {
      const count = counts.get(delivery.deliveryId);
      return count ? [{ locked: delivery, next: applyReceipts(delivery.journey, count) }] : [];
    }),
  );
  await clearUpAttempts(
    tx,
    [...locked.values()].filter(({ journey }) => journey.status === 'unknown'),
    known,
  );
}

type Known = { workspaceId: string; deliveryId: string; attemptId: string; fact: ReceiptFact };

async function findDeliveries(tx: Tx, items: ReceiptItem[]): Promise<Known[]> {
  const wanted = items.map(({ workspaceId, channelId, fact }, n) => ({
    n,
    w: workspaceId,
    c: channelId,
    p: fact.providerId,
  }));
  const { rows } = await sql<{ n: number; w: string; d: string; a: string }>`
    select i.n, p.workspace_id as w, p.delivery_id as d, p.attempt_id as a
    from json_to_recordset(${JSON.stringify(wanted)}::json) as i(n integer, w uuid, c uuid, p text)
    join provider_ids p on p.workspace_id = i.w and p.channel_id = i.c and p.provider_id = i.p
  `.execute(tx);
  return rows.flatMap(row => {
    const item = items[row.n];
    return item ? [{ workspaceId: row.w, deliveryId: row.d, attemptId: row.a, fact: item.fact }] : [];
  });
}

function keysOf(known: Known[]): Key[] {
  const keys = new Map<string, Key>();
  for (const { workspaceId, deliveryId, fact } of known) {
    const kinds = fact.kind === 'read' ? (['delivered', 'read'] as const) : (['delivered'] as const);
    for (const kind of kinds) {
      const name = `${deliveryId} ${kind} ${fact.recipient}`;
      const implied = kind !== fact.kind;
      const before = keys.get(name);
      if (before && (implied || !before.implied)) continue;
      const { recipient, at } = fact;
      keys.set(name, { id: newId(), workspaceId, deliveryId, recipient, kind, at, implied });
    }
  }
  return [...keys.values()];
}

/** Answers those that were not known yet. */
async function insertReceipts(tx: Tx, keys: Key[]): Promise<Key[]> {
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

/** A receipt proves what an attempt that got no answer could not tell. */
async function clearUpAttempts(
  tx: Tx,
  unknown: { workspaceId: string; deliveryId: string }[],
  known: Known[],
): Promise<void> {
  const ids = new Set(unknown.map(({ deliveryId }) => deliveryId));
  const attempts = known.filter(({ deliveryId }) => ids.has(deliveryId));
  if (attempts.length === 0) return;
  const rows = JSON.stringify(
    attempts.map(({ workspaceId, attemptId }) => ({ w: workspaceId, a: attemptId })),
  );
  await sql`
    update attempts set status = 'accepted', code = null, detail = null, settled_at = now()
    from json_to_recordset(${rows}::json) as k(w uuid, a uuid)
    where workspace_id = k.w and id = k.a and status = 'unknown'
  `.execute(tx);
}
