import { sql } from 'kysely';
import type { Kernel, LeaseTimes, Tx } from '../../kernel/index.ts';
import type { Wanted } from '../policy.ts';
import type { Peer } from './spread.ts';

/** A channel with which there is something to do. */
export type LookRow = {
  workspace_id: string;
  id: string;
  kind: string;
  wanted: Wanted;
  generation: number;
  status_reason: string | null;
  rests: boolean;
  /** Something has come in that the rooms to the right have not taken yet. */
  holds_inbound: boolean;
  free: boolean;
};

/** What is to be driven, and who there is to drive it. */
export type Sight = { rows: LookRow[]; peers: (Peer & { leaving: boolean })[] };

/** Leases of channels, and those alone, begin so. */
export const LEASE_PREFIX = 'channel:';

/**
 * Channels of which something is wanted that is not so yet or has to be kept so, or that left something behind; and the
 * nodes that are alive.
 */
export function look(kernel: Kernel, times: LeaseTimes): Promise<Sight> {
  return kernel.database.inEngine('channels.look', async tx => ({
    rows: await readWanted(tx, times.graceMs),
    peers: await readPeers(tx, times.renewMs),
  }));
}

/** What only has to be ended or handed on is soon done, wherever. */
export function needsRoom(row: LookRow): boolean {
  return !row.rests && (row.wanted === 'connected' || row.wanted === 'pairing');
}

export async function readWanted(tx: Tx, graceMs: number): Promise<LookRow[]> {
  const { rows } = await sql<LookRow>`
    select c.workspace_id, c.id, c.kind, c.wanted, c.generation, c.status_reason, not look.is_due as rests,
      inbound.is_held as holds_inbound,
      not exists (select from leases l where l.name = ${LEASE_PREFIX} || c.id and l.holder is not null
        and l.expires_at > now() - ${graceMs}::float8 * interval '1 millisecond') as free
    from channels c
    cross join lateral (
      select case c.wanted
        when 'connected' then c.status <> 'failed' or coalesce(c.status_until <= now(), false)
        when 'pairing' then true
        else c.status <> 'unpaired' or exists (
          select from channel_credentials k where k.workspace_id = c.workspace_id and k.channel_id = c.id)
        end as is_due
    ) look
    cross join lateral (
      select exists (
        select from intake_pending p where p.workspace_id = c.workspace_id and p.channel_id = c.id) as is_held
    ) inbound
    where look.is_due or inbound.is_held
    order by c.id
  `.execute(tx);
  return rows;
}

async function readPeers(tx: Tx, renewMs: number): Promise<Sight['peers']> {
  const { rows } = await sql<{ boot_id: string; max_channels: number; leaving: boolean; held: number }>`
    select n.boot_id, n.max_channels, n.leaving_at is not null as leaving, (
      select count(*)::int from leases l
      where l.holder = n.boot_id::text and starts_with(l.name, ${LEASE_PREFIX}) and l.expires_at > now()
    ) as held
    from nodes n
    where n.stopped_at is null
      and n.seen_at > now() - ${2 * renewMs}::float8 * interval '1 millisecond'
  `.execute(tx);
  return rows.map(row => ({
    bootId: row.boot_id,
    held: row.held,
    limit: row.max_channels,
    leaving: row.leaving,
  }));
}
