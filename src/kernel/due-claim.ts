import { type RawBuilder, sql } from 'kysely';
import type { Tx } from './database/database.ts';
import type { DueItem } from './due-work.ts';

export type Claim = {
  kind: string;
  bootId: string;
  /** How far ahead of the database's `now()`. */
  aheadMs: number;
  leaseMs: number;
  limit: number;
};

/** `databaseNow` is the one clock reading of the claim, for measuring how far the clocks differ. */
export type Claimed = { items: DueItem[]; databaseNow: number };

/** Claims in the order of due instants, whatever the lane. */
export function claimInOrder(tx: Tx, claim: Claim): Promise<Claimed> {
  return claimWhere(
    tx,
    claim,
    sql`
      select workspace_id, kind, subject_id from due_work
      where kind = ${claim.kind} and ${ready(claim)}
      order by due_at limit ${claim.limit} for update skip locked
    `,
  );
}

/** Claims at most `perLane` in each of these lanes, so that a full lane leaves room for the others. */
export function claimByLane(tx: Tx, claim: Claim, lanes: string[], perLane: number): Promise<Claimed> {
  return claimWhere(
    tx,
    claim,
    sql`
      select d.workspace_id, d.kind, d.subject_id
      from json_array_elements_text(${JSON.stringify(lanes)}::json) as l(lane)
      cross join lateral (
        select workspace_id, kind, subject_id from due_work
        where kind = ${claim.kind} and lane = l.lane::uuid and ${ready(claim)}
        order by due_at limit ${perLane} for update skip locked
      ) d
      limit ${claim.limit}
    `,
  );
}

/** The lanes in which something is ready; reads all that is ready, so only for when there is much of it. */
export async function readyLanes(tx: Tx, claim: Claim): Promise<string[]> {
  const { rows } = await sql<{ lane: string }>`
    select distinct lane from due_work where kind = ${claim.kind} and ${ready(claim)}
  `.execute(tx);
  return rows.map(row => row.lane);
}

/** `now()` and not `clock_timestamp()`: only a stable function can bound the index. */
function ready(claim: Claim): RawBuilder<unknown> {
  return sql`due_at <= now() + ${claim.aheadMs}::float8 * interval '1 millisecond'
    and (claimed_until is null or claimed_until <= now())`;
}

/** An instant finer than a millisecond is rounded up, so that it is never met early. */
async function claimWhere(tx: Tx, claim: Claim, chosen: RawBuilder<unknown>): Promise<Claimed> {
  const { rows } = await sql<{
    now: number;
    workspace_id: string | null;
    subject_id: string;
    lane: string;
    due: number;
    priority: number;
  }>`
    with chosen as materialized (${chosen}),
    claimed as (
      update due_work d set claimed_by = ${claim.bootId},
        claimed_until = greatest(d.due_at, now()) + ${claim.leaseMs}::float8 * interval '1 millisecond'
      from chosen c
      where d.workspace_id = c.workspace_id and d.kind = c.kind and d.subject_id = c.subject_id
      returning d.workspace_id, d.subject_id, d.lane, d.due_at, d.priority
    )
    select (extract(epoch from now()) * 1000)::float8 as now, c.workspace_id, c.subject_id, c.lane,
      ceil(extract(epoch from c.due_at) * 1000)::float8 as due, c.priority
    from (select 1) as one left join claimed c on true
  `.execute(tx);
  const items = rows.flatMap(row =>
    row.workspace_id === null
      ? []
      : [
          {
            workspaceId: row.workspace_id,
            kind: claim.kind,
            subjectId: row.subject_id,
            lane: row.lane,
            dueAt: new Date(row.due),
            priority: row.priority,
          },
        ],
  );
  return { items, databaseNow: rows[0]?.now ?? 0 };
}
