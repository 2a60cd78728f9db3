import { sql } from 'kysely';
import { capabilitiesOf } from '../channels/index.ts';
import type { Scope, Tx } from '../kernel/index.ts';
import { DELIVERY, isNewPeopleLane } from './due-kinds.ts';
import { holdOf } from './pacing/budget.ts';
import { type Limits, limitsOf, newPeopleAt } from './pacing/limits.ts';
import { type PaceRow, readPaces } from './pacing/rows.ts';
import type { WaitingFor } from './schema.ts';

/** Why a delivery that is due has not left, and when it is expected to go on, where that can be told. */
export type Wait = { for: WaitingFor; until: Date | null };

type Queued = {
  delivery_id: string;
  channel_id: string;
  group_id: string | null;
  status: string;
  due_at: Date;
};

/** What is shorter than this is on its way and waits for nothing. */
const MOMENT_MS = 2_000;
/** Places in a lane are counted so far. */
const COUNTED = 2_000;

/** By delivery id; only of what is queued and due. Says what is, at the time of reading. */
export async function waitsOf(tx: Tx, scope: Scope, rows: Queued[]): Promise<Map<string, Wait>> {
  const now = scope.kernel.clock.now().getTime();
  const due = rows.filter(row => row.status === 'queued' && row.due_at.getTime() <= now);
  if (due.length === 0) return new Map();
  const channelIds = [...new Set(due.map(row => row.channel_id))];
  const channels = await readChannels(tx, scope, channelIds);
  const paced = [...channels.values()].filter(({ kind }) => capabilitiesOf(kind).pacing);
  const places = paced.map(({ id }) => ({ workspaceId: scope.workspaceId, channelId: id }));
  const paces = await readPaces(tx, places, now);
  const lanes = await placesInLanes(tx, scope, due, [...paces.keys()]);
  const waits = new Map<string, Wait>();
  for (const row of due) {
    const channel = channels.get(row.channel_id);
    const pace = paces.get(row.channel_id);
    const wait =
      (channel && waitOfChannel(channel, now)) ??
      (channel && pace && waitForTurn(row, pace, limitsFor(channel, pace), lanes.get(row.delivery_id), now));
    if (wait) waits.set(row.delivery_id, wait);
  }
  return waits;
}

type ChannelRow = {
  id: string;
  kind: string;
  parked: boolean;
  status: string;
  status_until: Date | null;
  restricted_until: Date | null;
};

async function readChannels(tx: Tx, scope: Scope, ids: string[]): Promise<Map<string, ChannelRow>> {
  const { rows } = await sql<ChannelRow>`
    select c.id, c.kind, c.status, c.status_until, c.restricted_until, exists (select from instance_parking) or exists (
      select from parkings p where p.workspace_id = c.workspace_id and (p.channel_id = c.id or p.channel_id is null)
    ) as parked
    from channels c where c.workspace_id = ${scope.workspaceId}::uuid and c.id = any(${ids}::uuid[])
  `.execute(tx);
  return new Map(rows.map(row => [row.id, row]));
}

function waitOfChannel(channel: ChannelRow, now: number): Wait | undefined {
  if (channel.parked) return { for: 'parked', until: null };
  const { status, status_until: statusUntil, restricted_until: restrictedUntil } = channel;
  if (restrictedUntil && restrictedUntil.getTime() > now)
    return { for: 'restriction', until: restrictedUntil };
  if (status === 'restricted') return { for: 'restriction', until: statusUntil };
  if (status !== 'connected') return { for: 'channel', until: statusUntil };
  return undefined;
}

function limitsFor({ kind }: ChannelRow, { settings }: PaceRow): Limits {
  const { pacing } = capabilitiesOf(kind);
  if (!pacing) throw new Error(`Channels of the kind ${kind} are not paced.`);
  return limitsOf(pacing, settings);
}

type InLane = { lane: string; place: number };

/** How many are ahead of each in its lane, counting from 0; those too far behind have only their lane. */
async function placesInLanes(
  tx: Tx,
  scope: Scope,
  due: Queued[],
  channelIds: string[],
): Promise<Map<string, InLane>> {
  const ids = due.filter(row => channelIds.includes(row.channel_id)).map(row => row.delivery_id);
  if (ids.length === 0) return new Map();
  const { rows } = await sql<{ id: string; lane: string; place: number | null }>`
    with wanted as (
      select subject_id, lane from due_work
      where workspace_id = ${scope.workspaceId}::uuid and kind = ${DELIVERY} and subject_id = any(${ids}::uuid[])
    ), counted as (
      select first.subject_id, (row_number() over (partition by l.lane order by first.due_at, first.subject_id))::int as n
      from (select distinct lane from wanted) l
      cross join lateral (
        select w.subject_id, w.due_at from due_work w
        where w.kind = ${DELIVERY} and w.lane = l.lane and w.due_at <= now() order by w.due_at limit ${COUNTED}
      ) first
    )
    select w.subject_id as id, w.lane, c.n - 1 as place from wanted w left join counted c using (subject_id)
  `.execute(tx);
  return new Map(rows.map(row => [row.id, { lane: row.lane, place: row.place ?? Number.POSITIVE_INFINITY }]));
}

function waitForTurn(
  row: Queued,
  pace: PaceRow,
  limits: Limits,
  inLane: InLane | undefined,
  now: number,
): Wait | undefined {
  const isNew = inLane !== undefined && isNewPeopleLane(inLane.lane);
  const held = holdOf(pace.budget, limits, isNew ? 'new' : row.group_id ? 'group' : 'known', now);
  if (held?.hold === 'new_people') {
    const today = (inLane?.place ?? 0) < newPeopleAt(limits, pace.budget.warmSince, held.until);
    return { for: 'new_people', until: today ? new Date(held.until) : null };
  }
  const place = inLane?.place ?? 0;
  if (!held && place < limits.burst && now - row.due_at.getTime() < MOMENT_MS) return undefined;
  if (!held && place === 0) return undefined;
  const at = Math.max(held?.until ?? now, now) + place * (60_000 / limits.messagesPerMinute);
  return { for: 'pacing', until: Number.isFinite(at) ? new Date(at) : null };
}
