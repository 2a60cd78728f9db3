import { sql } from 'kysely';
import { type Content, kept, list, rangeOf, type Tx } from '../../kernel/index.ts';
import type { OnUnknown } from '../journey.ts';
import { parkedAmong } from '../parking/rows.ts';
import { readLast } from './attempts.ts';
import type { Letter, Locked, Readiness } from './book.ts';

type Row = {
  id: string;
  content: Content;
  source: string;
  provider_id: string | null;
  size: number;
  archived: boolean;
  resend: boolean;
  on_unknown: string;
};

export async function readLetters(tx: Tx, of: Locked[]): Promise<Map<string, Letter>> {
  if (of.length === 0) return new Map();
  const rows = await read(
    tx,
    list(of.map(one => one.workspaceId)),
    list(of.map(one => one.deliveryId)),
    list(of.map(one => one.messageId)),
    list(of.map(one => one.groupId)),
    ...rangeOf(of.map(one => one.messageId)),
  );
  const last = await readLast(
    tx,
    of.filter(one => one.journey.inFlightAt !== null),
  );
  return new Map(
    rows.map(({ id, content, source, provider_id: providerId, size, archived, resend, on_unknown }) => [
      id,
      {
        content,
        source,
        group: providerId === null ? null : { providerId, size, archived },
        last: last.get(id) ?? null,
        resend,
        onUnknown: on_unknown === 'ask' ? null : (on_unknown as OnUnknown),
      },
    ]),
  );
}

const read = kept<Row>(`
  select k.d as id, m.content, m.source, g.provider_id, g.size, g.archived_at is not null as archived,
    coalesce(p.resend, true) as resend,
    coalesce(case m.source when 'reminder' then p.unknown_reminder when 'api' then p.unknown_api end,
      'ask') as on_unknown
  from unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::uuid[]) as k(w, d, m, g)
  cross join lateral (
    select content, source from messages m
    where m.workspace_id = k.w and m.id = k.m and m.id between $5::uuid and $6::uuid offset 0
  ) m
  left join lateral (
    select provider_id, size, archived_at from groups g where g.workspace_id = k.w and g.id = k.g offset 0
  ) g on true
  left join lateral (
    select resend, unknown_reminder, unknown_api from sending_policies p where p.workspace_id = k.w offset 0
  ) p on true`);

/** A reconnect or a take-over that lasts no longer is no reason to call a message missed. */
const AWAY_MS = 60_000;

/**
 * Judged for the end of each delivery's window, not for now: whoever looks late must not take a channel that has
 * just come back for one that was there. Parked and restricted are what is now, and go before.
 */
export async function readReadiness(tx: Tx, of: Locked[]): Promise<Map<string, Readiness>> {
  if (of.length === 0) return new Map();
  const wanted = of.map(one => ({
    w: one.workspaceId,
    d: one.deliveryId,
    c: one.channelId,
    n: `channel:${one.channelId}`,
    e: one.journey.catchUpUntil,
  }));
  const { rows } = await sql<{ id: string; ready: boolean; away: boolean; restricted: boolean }>`
    select k.d as id, c.status = 'restricted' or coalesce(c.restricted_until > now(), false) as restricted,
      s.stands and greatest(c.status_at, l.taken_at) <= k.e + s.tolerance as ready,
      not s.stands and case when c.status = 'connected' then l.expires_at else c.status_at end
        > now() - s.tolerance and c.wanted = 'connected' as away
    from json_to_recordset(${JSON.stringify(wanted)}::json) as k(w uuid, d uuid, c uuid, n text, e timestamptz)
    join channels c on c.workspace_id = k.w and c.id = k.c
    left join leases l on l.name = k.n
    cross join lateral (
      select c.status = 'connected' and coalesce(l.expires_at > now(), false) as stands,
        ${AWAY_MS}::float8 * interval '1 millisecond' as tolerance
    ) s
  `.execute(tx);
  const parked = await parkedAmong(tx, of);
  const channelOf = new Map(of.map(one => [one.deliveryId, one.channelId]));
  return new Map(
    rows.map(({ id, ready, away, restricted }) => {
      if (parked.has(channelOf.get(id) ?? '')) return [id, 'parked'];
      if (restricted) return [id, 'restricted'];
      return [id, ready ? 'ready' : away ? 'away' : 'not_ready'];
    }),
  );
}
