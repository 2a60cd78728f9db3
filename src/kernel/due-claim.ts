import type { Tx } from './database/database.ts';
import { kept, list } from './database/kept.ts';
import { DUE_MS, type DueItem } from './due-work.ts';

export type Claim = {
  kind: string;
  bootId: string;
  /** How far ahead of the database's `now()`. */
  aheadMs: number;
  leaseMs: number;
  limit: number;
};

/** `owned` = nobody else may serve them now, so a claim that another process has left there counts for nothing. */
export type Lanes = { names: string[]; perLane: number; owned: boolean };

/** `databaseNow` is the one clock reading of the claim, for measuring how far the clocks differ. */
export type Claimed = { items: DueItem[]; databaseNow: number };

/** Claims in the order of due instants, whatever the lane. */
export async function claimInOrder(tx: Tx, claim: Claim): Promise<Claimed> {
  const { kind, bootId, aheadMs, leaseMs, limit } = claim;
  return claimedOf(kind, await inOrder(tx, kind, aheadMs, limit, bootId, leaseMs));
}

/** Claims at most `perLane` in each of these lanes, so that a full lane leaves room for the others. */
export async function claimByLane(tx: Tx, claim: Claim, { names, perLane, owned }: Lanes): Promise<Claimed> {
  const { kind, bootId, aheadMs, leaseMs, limit } = claim;
  return claimedOf(
    kind,
    await byLane(tx, kind, aheadMs, limit, bootId, leaseMs, list(names), perLane, owned),
  );
}

/** The lanes in which something is ready; reads all that is ready, so only for when there is much of it. */
export async function readyLanes(tx: Tx, claim: Claim): Promise<string[]> {
  return (await lanesOf(tx, claim.kind, claim.aheadMs)).map(row => row.lane);
}

type Row = {
  now: number;
  workspace_id: string | null;
  subject_id: string;
  lane: string;
  due: number;
  priority: number;
};

/** `now()` and not `clock_timestamp()`: only a stable function can bound the index. */
const DUE = `due_at <= now() + $2::float8 * interval '1 millisecond'`;
const READY = `${DUE}
  and (claimed_until is null or claimed_until <= now())`;

const inOrder = kept<Row>(
  claiming(`
    select workspace_id, kind, subject_id from due_work
    where kind = $1 and ${READY}
    order by due_at limit $3::int for update skip locked`),
);

const byLane = kept<Row>(
  claiming(`
    select d.workspace_id, d.kind, d.subject_id
    from unnest($6::uuid[]) as l(lane)
    cross join lateral (
      select workspace_id, kind, subject_id from due_work
      where kind = $1 and lane = l.lane and ${DUE}
        and (claimed_until is null or claimed_until <= now() or ($8::boolean and claimed_by <> $4::uuid))
      order by due_at limit $7::int for update skip locked
    ) d
    limit $3::int`),
);

const lanesOf = kept<{ lane: string }>(`select distinct lane from due_work where kind = $1 and ${READY}`);

function claiming(chosen: string): string {
  return `
    with chosen as materialized (${chosen}),
    claimed as (
      update due_work d set claimed_by = $4::uuid,
        claimed_until = greatest(d.due_at, now()) + $5::float8 * interval '1 millisecond'
      from chosen c
      where d.workspace_id = c.workspace_id and d.kind = c.kind and d.subject_id = c.subject_id
      returning d.workspace_id, d.subject_id, d.lane, d.due_at, d.priority
    )
    select date_part('epoch', now()) * 1000 as now, c.workspace_id, c.subject_id, c.lane, ${DUE_MS} as due, c.priority
    from (select 1) as one left join claimed c on true`;
}

function claimedOf(kind: string, rows: Row[]): Claimed {
  const items = rows.flatMap((row): DueItem[] => {
    const { workspace_id: workspaceId, subject_id: subjectId, lane, due, priority } = row;
    if (workspaceId === null) return [];
    return [{ workspaceId, kind, subjectId, lane, dueAt: new Date(due), priority }];
  });
  return { items, databaseNow: rows[0]?.now ?? 0 };
}
