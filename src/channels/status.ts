import { sql } from 'kysely';
import type { Kernel, Leases, LeaseTimes, Tx } from '../kernel/index.ts';
import { LEASE_PREFIX, needsRoom, readWanted } from './driver/look.ts';
import { NO_ROOM } from './driver/no-room.ts';
import type { NodeFacts, Work } from './standing.ts';

/** A lease that somebody holds. `workspaceId` and `channelId` are those of the channel that it is for, if any. */
export type LeaseFacts = {
  name: string;
  bootId: string;
  fence: number;
  takenAt: Date;
  /** Until it expires; 0 or less when it has and waits out its grace. */
  leftMs: number;
  workspaceId: string | null;
  channelId: string | null;
};

/** A channel that is to be driven and is not. */
export type WaitingFacts = {
  workspaceId: string;
  channelId: string;
  reason: 'no_room' | 'holder_gone' | 'free';
};

export type StatusFacts = { nodes: NodeFacts[]; leases: LeaseFacts[]; waiting: WaitingFacts[]; work: Work };

const SHOW_GONE = sql`interval '1 day'`;

/** The nodes, what they hold, and what waits, in the whole installation: the caller shows only what its reader may see. */
export async function readStatus(kernel: Kernel, times: LeaseTimes, leases?: Leases): Promise<StatusFacts> {
  const { database, node: self } = kernel;
  const read = await database.inEngine('channels.status', async tx => ({
    rows: await readNodes(tx, times.renewMs),
    held: await readLeases(tx, times.graceMs),
    wanted: (await readWanted(tx, times.graceMs)).filter(needsRoom),
  }));
  const heldBy = (bootId: string) =>
    read.held.filter(lease => lease.bootId === bootId && lease.channelId !== null).length;
  const nodes = read.rows
    .map(row => ({ ...row, held: heldBy(row.bootId) }))
    // A node that came back under its name has taken the place of what it was before.
    .filter(
      row => !row.gone || row.held > 0 || !read.rows.some(one => !one.gone && one.nodeId === row.nodeId),
    )
    .map(row => (row.bootId === self.bootId ? { ...row, troubleSince: leases?.trouble()?.since } : row));
  const alive = new Set(nodes.filter(one => !one.gone).map(one => one.bootId));
  const holders = new Map(read.held.map(lease => [lease.channelId, lease.bootId]));
  const waiting = read.wanted.flatMap((row): WaitingFacts[] => {
    const holder = row.free ? undefined : holders.get(row.id);
    if (holder !== undefined && alive.has(holder)) return [];
    const reason = holder !== undefined ? 'holder_gone' : row.status_reason === NO_ROOM ? 'no_room' : 'free';
    return [{ workspaceId: row.workspace_id, channelId: row.id, reason }];
  });
  const work: Work = {
    embedded: database.engine.kind === 'embedded',
    wanted: read.wanted.length,
    withTheGone: waiting.filter(({ reason }) => reason === 'holder_gone').length,
    free: waiting.filter(({ reason }) => reason === 'free').length,
  };
  return { nodes, leases: read.held, waiting, work };
}

async function readNodes(tx: Tx, renewMs: number): Promise<Omit<NodeFacts, 'held'>[]> {
  const { rows } = await sql<{
    boot_id: string;
    node_id: string;
    roles: string[];
    max_channels: number;
    started_at: Date;
    seen_at: Date;
    gone: boolean;
    leaving: boolean;
  }>`
    select boot_id, node_id, roles, max_channels, started_at, seen_at, leaving_at is not null as leaving,
      seen_at <= now() - ${2 * renewMs}::float8 * interval '1 millisecond' as gone
    from nodes where stopped_at is null and seen_at > now() - ${SHOW_GONE}
    order by node_id, started_at
  `.execute(tx);
  return rows.map(row => ({
    bootId: row.boot_id,
    nodeId: row.node_id,
    roles: row.roles,
    startedAt: row.started_at,
    seenAt: row.seen_at,
    gone: row.gone,
    leaving: row.leaving,
    limit: row.max_channels,
  }));
}

async function readLeases(tx: Tx, graceMs: number): Promise<LeaseFacts[]> {
  const { rows } = await sql<{
    name: string;
    holder: string;
    fence: number;
    taken_at: Date;
    left_ms: number;
    workspace_id: string | null;
    channel_id: string | null;
  }>`
    select l.name, l.holder, l.fence, l.taken_at, c.workspace_id, c.id as channel_id,
      floor(extract(epoch from l.expires_at - now()) * 1000)::float8 as left_ms
    from leases l left join channels c on l.name = ${LEASE_PREFIX} || c.id
    where l.holder is not null and l.expires_at > now() - ${graceMs}::float8 * interval '1 millisecond'
    order by l.name
  `.execute(tx);
  return rows.map(row => ({
    name: row.name,
    bootId: row.holder,
    fence: row.fence,
    takenAt: row.taken_at,
    leftMs: row.left_ms,
    workspaceId: row.workspace_id,
    channelId: row.channel_id,
  }));
}
