import { sql } from 'kysely';
import type { Tx } from './database/database.ts';
import { wakeAfterCommit } from './wake.ts';

/** Something that must happen at an instant. There is one per workspace, kind and subject. */
export type DueItem = {
  workspaceId: string;
  kind: string;
  subjectId: string;
  /** Who must not be starved by whom: the channel of a delivery, for instance. */
  lane: string;
  dueAt: Date;
  /** Of what is due at the same moment, the higher goes first. */
  priority: number;
};

/** What names an item. */
export type DueKey = Pick<DueItem, 'workspaceId' | 'kind' | 'subjectId'>;

/** Later than this, the claims that look ahead find it in time without being woken. */
const WAKE_WITHIN_MS = 10_000;

/** Puts items on the list, or moves those that are on it: a claim on the old instant is worth nothing. */
export async function scheduleDue(tx: Tx, items: DueItem[]): Promise<void> {
  if (items.length === 0) return;
  await sql`
    insert into due_work (workspace_id, kind, subject_id, lane, due_at, priority)
    select * from json_to_recordset(${JSON.stringify(items.map(rowOf))}::json)
      as i(workspace_id uuid, kind text, subject_id uuid, lane uuid, due_at timestamptz, priority smallint)
    on conflict (workspace_id, kind, subject_id) do update
      set lane = excluded.lane, due_at = excluded.due_at, priority = excluded.priority,
        claimed_by = null, claimed_until = null
  `.execute(tx);
  const soon = Date.now() + WAKE_WITHIN_MS;
  for (const item of items) if (item.dueAt.getTime() < soon) wakeAfterCommit(`due:${item.kind}`);
}

/** Takes items off the list, claimed or not; a claim on them finds nothing to take. */
export async function cancelDue(
  tx: Tx,
  workspaceId: string,
  kind: string,
  subjectIds: string[],
): Promise<void> {
  if (subjectIds.length === 0) return;
  await tx
    .deleteFrom('due_work')
    .where('workspace_id', '=', workspaceId)
    .where('kind', '=', kind)
    .where('subject_id', 'in', subjectIds)
    .execute();
}

/** The same for items of several workspaces and kinds, where an engine's transaction sees them. */
export async function dropDue(tx: Tx, keys: DueKey[]): Promise<void> {
  if (keys.length === 0) return;
  const rows = keys.map(key => ({ w: key.workspaceId, k: key.kind, s: key.subjectId }));
  await sql`
    delete from due_work using json_to_recordset(${JSON.stringify(rows)}::json) as i(w uuid, k text, s uuid)
    where workspace_id = i.w and kind = i.k and subject_id = i.s
  `.execute(tx);
}

/**
 * The compare-and-set of firing: takes those off the list that this process still has claimed for that
 * very instant, and returns them. Whoever cancelled, moved or claimed them since keeps them. What the
 * caller writes in the same transaction happens exactly once.
 */
export async function takeDue(tx: Tx, bootId: string, items: DueItem[]): Promise<DueItem[]> {
  if (items.length === 0) return [];
  const { rows } = await sql<{ subject_id: string; kind: string }>`
    delete from due_work d using json_to_recordset(${keysOf(items)}::json)
      as i(workspace_id uuid, kind text, subject_id uuid, due float8)
    where d.workspace_id = i.workspace_id and d.kind = i.kind and d.subject_id = i.subject_id
      and d.claimed_by = ${bootId} and ceil(extract(epoch from d.due_at) * 1000) = i.due
    returning d.subject_id, d.kind
  `.execute(tx);
  const taken = new Set(rows.map(row => row.kind + row.subject_id));
  return items.filter(item => taken.delete(item.kind + item.subjectId));
}

/** Gives back claims that were not used; `delayMs` keeps everybody off them for a while. */
export async function giveBackDue(tx: Tx, bootId: string, items: DueItem[], delayMs = 0): Promise<void> {
  if (items.length === 0) return;
  await sql`
    update due_work d
    set claimed_by = null,
      claimed_until = case when ${delayMs}::float8 > 0 then now() + ${delayMs}::float8 * interval '1 millisecond' end
    from json_to_recordset(${keysOf(items)}::json) as i(workspace_id uuid, kind text, subject_id uuid)
    where d.workspace_id = i.workspace_id and d.kind = i.kind and d.subject_id = i.subject_id
      and d.claimed_by = ${bootId}
  `.execute(tx);
}

function rowOf(item: DueItem) {
  return {
    workspace_id: item.workspaceId,
    kind: item.kind,
    subject_id: item.subjectId,
    lane: item.lane,
    due_at: item.dueAt,
    priority: item.priority,
  };
}

function keysOf(items: DueItem[]): string {
  return JSON.stringify(
    items.map(item => ({
      workspace_id: item.workspaceId,
      kind: item.kind,
      subject_id: item.subjectId,
      due: item.dueAt.getTime(),
    })),
  );
}
