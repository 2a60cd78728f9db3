import type { Tx } from './database/database.ts';
import { instants, kept, list, texts } from './database/kept.ts';
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
export function scheduleDue(tx: Tx, items: DueItem[]): Promise<void> {
  return put(tx, items, upsert);
}

/** The same, and cheaper where most of the items are on the list. */
export function moveDue(tx: Tx, items: DueItem[]): Promise<void> {
  return put(tx, items, move);
}

async function put(tx: Tx, items: DueItem[], statement: typeof upsert): Promise<void> {
  if (items.length === 0) return;
  await statement(
    tx,
    ...keysOf(items),
    list(items.map(item => item.lane)),
    instants(items.map(item => item.dueAt)),
    list(items.map(item => item.priority)),
  );
  const soon = Date.now() + WAKE_WITHIN_MS;
  for (const item of items) if (item.dueAt.getTime() < soon) wakeAfterCommit(`due:${item.kind}`);
}

const ITEMS = `select w, k, s, l, to_timestamp(due / 1000.0::float8) as at, p
  from unnest($1::uuid[], $2::text[], $3::uuid[], $4::uuid[], $5::bigint[], $6::smallint[]) as i(w, k, s, l, due, p)`;

const ON_CONFLICT = `on conflict (workspace_id, kind, subject_id) do update
  set lane = excluded.lane, due_at = excluded.due_at, priority = excluded.priority,
    claimed_by = null, claimed_until = null`;

const upsert = kept(`
  insert into due_work (workspace_id, kind, subject_id, lane, due_at, priority) ${ITEMS} ${ON_CONFLICT}`);

const move = kept(`
  with items as materialized (${ITEMS}), moved as (
    update due_work set lane = l, due_at = at, priority = p, claimed_by = null, claimed_until = null
    from items where workspace_id = w and kind = k and subject_id = s
    returning kind, subject_id
  )
  insert into due_work (workspace_id, kind, subject_id, lane, due_at, priority)
  select * from items where (select count(*) from moved) < cardinality($1::uuid[])
    and not exists (select from moved where kind = k and subject_id = s)
  ${ON_CONFLICT}`);

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
  await drop(tx, ...keysOf(keys));
}

const drop = kept(`
  delete from due_work using unnest($1::uuid[], $2::text[], $3::uuid[]) as i(w, k, s)
  where workspace_id = i.w and kind = i.k and subject_id = i.s`);

/**
 * The compare-and-set of firing: takes those off the list that this process still has claimed for that
 * very instant, and returns them. Whoever cancelled, moved or claimed them since keeps them. What the
 * caller writes in the same transaction happens exactly once.
 */
export async function takeDue(tx: Tx, bootId: string, items: DueItem[]): Promise<DueItem[]> {
  if (items.length === 0) return [];
  const rows = await take(tx, ...keysOf(items), instants(items.map(item => item.dueAt)), bootId);
  const taken = new Set(rows.map(row => row.kind + row.subject_id));
  return items.filter(item => taken.delete(item.kind + item.subjectId));
}

/**
 * An instant of `due_work` in whole ms, up, so that a finer one is never met early. The thousandth keeps what only
 * looks finer in binary from going up.
 */
export const DUE_MS = `ceil(date_part('epoch', due_at) * 1000 - 0.0005)`;

const take = kept<{ subject_id: string; kind: string }>(`
  delete from due_work using unnest($1::uuid[], $2::text[], $3::uuid[], $4::bigint[]) as i(w, k, s, due)
  where workspace_id = i.w and kind = i.k and subject_id = i.s and claimed_by = $5::uuid and ${DUE_MS} = i.due
  returning subject_id, kind`);

/** Gives back claims that were not used; `delayMs` keeps everybody off them for a while. */
export async function giveBackDue(tx: Tx, bootId: string, items: DueItem[], delayMs = 0): Promise<void> {
  if (items.length === 0) return;
  await giveBack(tx, ...keysOf(items), delayMs, bootId);
}

const giveBack = kept(`
  update due_work set claimed_by = null,
    claimed_until = case when $4::float8 > 0 then now() + $4::float8 * interval '1 millisecond' end
  from unnest($1::uuid[], $2::text[], $3::uuid[]) as i(w, k, s)
  where workspace_id = i.w and kind = i.k and subject_id = i.s and claimed_by = $5::uuid`);

/** Gives back all claims of this process of one kind, also such as it does not know of. Reads the whole list. */
export async function giveBackAllDue(tx: Tx, bootId: string, kind: string): Promise<void> {
  await giveBackAll(tx, kind, bootId);
}

const giveBackAll = kept(`
  update due_work set claimed_by = null, claimed_until = null where kind = $1 and claimed_by = $2::uuid`);

function keysOf(keys: DueKey[]): [workspaces: string, kinds: string, subjects: string] {
  return [
    list(keys.map(key => key.workspaceId)),
    texts(keys.map(key => key.kind)),
    list(keys.map(key => key.subjectId)),
  ];
}
