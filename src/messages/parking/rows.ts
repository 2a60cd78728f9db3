import { type RawBuilder, sql } from 'kysely';
import { kept, list, type Tx } from '../../kernel/index.ts';
import { DELIVERY, newPeopleLaneOf } from '../due-kinds.ts';

/**
 * Those of the channels that are parked, by themselves, with their workspace or with the installation; it stays so
 * until the end of the transaction. For the engine's door.
 */
export async function parkedAmong(
  tx: Tx,
  of: { workspaceId: string; channelId: string }[],
): Promise<Set<string>> {
  const places = new Map(of.map(({ workspaceId, channelId }) => [channelId, workspaceId]));
  const rows = await parked(tx, list([...places.values()]), list([...places.keys()]));
  return new Set(rows.map(row => row.id));
}

const parked = kept<{ id: string }>(`select convoke_parked($1::uuid[], $2::uuid[]) as id`);

/** Waits for what is about to enter the wire and keeps back what comes after, until the commit. */
export async function holdBackAll(tx: Tx): Promise<void> {
  await sql`select pg_advisory_xact_lock(7240116)`.execute(tx);
}

/** What a parking is of; without a channel it is the whole workspace, without either the installation. */
export type Parkable = { workspaceId?: string; channelId?: string | undefined };

type Waiting = { channelId: string; waiting: number; overdue: number };

/** By channel: what is due by now, and what of it is past its window. */
export function countWaiting(tx: Tx, of: Parkable): Promise<Waiting[]> {
  return count(tx, dueOf(of));
}

/** The same of what `of` alone keeps back. */
export function countKept(tx: Tx, of: Parkable): Promise<Waiting[]> {
  return count(tx, sql`${dueOf(of)} and ${keptBackOnlyBy(of)}`);
}

export function sumOf(counts: Waiting[]): { waiting: number; overdue: number } {
  return counts.reduce(
    (sum, { waiting, overdue }) => ({ waiting: sum.waiting + waiting, overdue: sum.overdue + overdue }),
    { waiting: 0, overdue: 0 },
  );
}

async function count(tx: Tx, due: RawBuilder<unknown>): Promise<Waiting[]> {
  const { rows } = await sql<{ channel_id: string; waiting: number; overdue: number }>`
    select d.channel_id, count(*)::int as waiting, (count(*) filter (where d.catch_up_until < now()))::int as overdue
    from ${due} group by d.channel_id
  `.execute(tx);
  return rows.map(({ channel_id: channelId, waiting, overdue }) => ({ channelId, waiting, overdue }));
}

/** Some of what is past its window and kept back by `of` alone. */
export async function someOverdue(
  tx: Tx,
  of: Parkable,
  limit: number,
): Promise<{ workspaceId: string; deliveryId: string }[]> {
  const { rows } = await sql<{ workspace_id: string; id: string }>`
    select d.workspace_id, d.id from ${dueOf(of)} and ${keptBackOnlyBy(of)} and d.catch_up_until < now() limit ${limit}
  `.execute(tx);
  return rows.map(row => ({ workspaceId: row.workspace_id, deliveryId: row.id }));
}

function dueOf({ workspaceId, channelId }: Parkable) {
  const within = workspaceId === undefined ? sql`true` : sql`c.workspace_id = ${workspaceId}::uuid`;
  const here = channelId === undefined ? sql`true` : sql`c.id = ${channelId}::uuid`;
  return sql`channels c
    join due_work w on w.workspace_id = c.workspace_id and w.kind = ${DELIVERY}
      and w.lane in (c.id, ${newPeopleLaneOf('c.id')}) and w.due_at <= now()
    join deliveries d on d.workspace_id = w.workspace_id and d.id = w.subject_id and d.status = 'queued'
    where ${within} and ${here}`;
}

function keptBackOnlyBy({ workspaceId, channelId }: Parkable) {
  const other =
    channelId !== undefined
      ? sql`p.channel_id is null`
      : workspaceId !== undefined
        ? sql`p.channel_id = c.id`
        : sql`(p.channel_id is null or p.channel_id = c.id)`;
  return sql`not exists (select from parkings p where p.workspace_id = c.workspace_id and ${other})`;
}
