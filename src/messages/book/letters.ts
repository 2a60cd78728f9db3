import { sql } from 'kysely';
import type { Content, Tx } from '../../kernel/index.ts';
import type { OnUnknown } from '../journey.ts';
import { parkedAmong } from '../parking/rows.ts';
import { readLast } from './attempts.ts';
import type { Letter, Locked, Readiness } from './book.ts';
import { idsBetween } from './journeys.ts';

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
  const wanted = of.map(one => ({
    w: one.workspaceId,
    d: one.deliveryId,
    m: one.messageId,
    g: one.groupId,
  }));
  const { rows } = await sql<Row>`
    select k.d as id, m.content, m.source, g.provider_id, g.size, g.archived_at is not null as archived,
      coalesce(p.resend, true) as resend,
      coalesce(case m.source when 'reminder' then p.unknown_reminder when 'api' then p.unknown_api end, 'ask') as on_unknown
    from json_to_recordset(${JSON.stringify(wanted)}::json) as k(w uuid, d uuid, m uuid, g uuid)
    join messages m on m.workspace_id = k.w and m.id = k.m
    left join groups g on g.workspace_id = k.w and g.id = k.g
    left join sending_policies p on p.workspace_id = k.w
    where ${idsBetween(
      'm',
      of.map(one => one.messageId),
    )}
  `.execute(tx);
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

/** A channel is ready when it is connected and a living node drives it; parked goes before both. */
export async function readReadiness(tx: Tx, of: Locked[]): Promise<Map<string, Readiness>> {
  if (of.length === 0) return new Map();
  const wanted = new Map(of.map(one => [one.channelId, { w: one.workspaceId, c: one.channelId }]));
  const { rows } = await sql<{ id: string; ready: boolean }>`
    select c.id, c.status = 'connected' and exists (
        select from leases l where l.name = 'channel:' || c.id and l.expires_at > now()) as ready
    from json_to_recordset(${JSON.stringify([...wanted.values()])}::json) as k(w uuid, c uuid)
    join channels c on c.workspace_id = k.w and c.id = k.c
  `.execute(tx);
  const parked = await parkedAmong(tx, of);
  return new Map(
    rows.map(({ id, ready }) => [id, parked.has(id) ? 'parked' : ready ? 'ready' : 'not_ready']),
  );
}
