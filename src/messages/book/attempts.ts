import { sql } from 'kysely';
import type { Tx } from '../../kernel/index.ts';
import { UNKNOWN } from '../journey.ts';
import type { AttemptResult, DeliveryKey, Locked, NewAttempt, OpenAttempt, PastAttempt } from './book.ts';
import { idsBetween, lockJourneys } from './journeys.ts';

type PastRow = {
  d: string;
  id: string;
  number: number;
  channel_id: string;
  status: string;
  provider_id: string;
  wire_to: string;
  payload: Buffer;
};

/** The newest attempt of each delivery that has had one, by delivery id. */
export async function readLast(
  tx: Tx,
  of: DeliveryKey[],
): Promise<Map<string, PastAttempt & { inFlight: boolean }>> {
  if (of.length === 0) return new Map();
  const { rows } = await sql<PastRow>`
    select k.d, a.id, a.number, a.channel_id, a.status, a.provider_id, a.wire_to, a.payload
    from json_to_recordset(${keysOf(of)}::json) as k(w uuid, d uuid)
    cross join lateral (
      select * from attempts a where a.workspace_id = k.w and a.delivery_id = k.d order by a.number desc limit 1
    ) a
  `.execute(tx);
  return new Map(
    rows.map(row => [
      row.d,
      {
        id: row.id,
        number: row.number,
        channelId: row.channel_id,
        wire: { providerId: row.provider_id, to: row.wire_to, payload: row.payload },
        inFlight: row.status === 'in_flight',
      },
    ]),
  );
}

export async function countAttempts(tx: Tx, of: DeliveryKey[]): Promise<Map<string, number>> {
  const last = await readLast(tx, of);
  return new Map([...last].map(([id, { number }]) => [id, number]));
}

/** A re-send carries the id of the attempt before it: words about that id belong to the newest from now on. */
export async function insertAttempts(tx: Tx, attempts: NewAttempt[]): Promise<void> {
  if (attempts.length === 0) return;
  const rows = attempts.map(attempt => ({
    workspace_id: attempt.workspaceId,
    id: attempt.id,
    delivery_id: attempt.deliveryId,
    channel_id: attempt.channelId,
    number: attempt.number,
    provider_id: attempt.wire.providerId,
    wire_to: attempt.wire.to,
    payload: Buffer.from(attempt.wire.payload).toString('hex'),
    fence: attempt.fence,
    deadline_at: attempt.deadline,
  }));
  await sql`
    with a as (
      select * from json_to_recordset(${JSON.stringify(rows)}::json) as a(
        workspace_id uuid, id uuid, delivery_id uuid, channel_id uuid, number smallint, provider_id text, wire_to text,
        payload text, fence bigint, deadline_at timestamptz)
    ), ids as (
      insert into provider_ids (workspace_id, channel_id, provider_id, delivery_id, attempt_id)
      select workspace_id, channel_id, provider_id, delivery_id, id from a
      on conflict (workspace_id, channel_id, provider_id) do update set attempt_id = excluded.attempt_id
        where provider_ids.delivery_id = excluded.delivery_id
    )
    insert into attempts (workspace_id, id, delivery_id, channel_id, number, provider_id, wire_to, payload, fence,
      deadline_at, status)
    select workspace_id, id, delivery_id, channel_id, number, provider_id, wire_to, decode(payload, 'hex'), fence,
      deadline_at, 'in_flight'
    from a
  `.execute(tx);
}

/**
 * See `Book.settleAttempts`. The row is the attempt's own, begun under one fence, so whoever brings its answer may
 * write it; a later holder of the channel has made it `unknown` first, and then only evidence counts.
 */
export async function settleAttempts(tx: Tx, results: AttemptResult[]): Promise<Set<string>> {
  if (results.length === 0) return new Set();
  const rows = results.map(({ workspaceId, channelId, deliveryId, attemptId, verdict, providerId }) => ({
    workspace_id: workspaceId,
    channel_id: channelId,
    delivery_id: deliveryId,
    id: attemptId,
    ...verdict,
    provider_id: providerId,
  }));
  const { rows: changed } = await sql<{ id: string }>`
    with s as (
      select * from json_to_recordset(${JSON.stringify(rows)}::json) as s(
        workspace_id uuid, channel_id uuid, delivery_id uuid, id uuid, status text, code text, detail text,
        provider_id text)
    ), named as (
      insert into provider_ids (workspace_id, channel_id, provider_id, delivery_id, attempt_id)
      select workspace_id, channel_id, provider_id, delivery_id, id from s where provider_id is not null
      on conflict do nothing
    )
    update attempts a set status = s.status, code = s.code, detail = s.detail, settled_at = now(),
      provider_id = coalesce(s.provider_id, a.provider_id)
    from s
    where a.workspace_id = s.workspace_id and a.id = s.id
      and ${idsBetween(
        'a',
        results.map(result => result.attemptId),
      )}
      and (a.status = 'in_flight' or (a.status = 'unknown' and s.status in ('accepted', 'refused')))
    returning a.id
  `.execute(tx);
  return new Set(changed.map(row => row.id));
}

export async function endOverdue(
  tx: Tx,
  watched: { of: Locked; at: Date; status: 'unknown' | 'accepted' }[],
): Promise<Map<string, Date>> {
  if (watched.length === 0) return new Map();
  const keys = watched.map(({ of, at, status }) => ({ w: of.workspaceId, d: of.deliveryId, at, status }));
  const { rows } = await sql<{ d: string; deadline: Date | null }>`
    with k as (
      select * from json_to_recordset(${JSON.stringify(keys)}::json) as k(w uuid, d uuid, at timestamptz, status text)
    ), ended as (
      update attempts a set status = k.status, settled_at = now(),
        code = case k.status when 'unknown' then 'timeout' end,
        detail = case k.status when 'unknown' then ${UNKNOWN.detail} end
      from k where a.workspace_id = k.w and a.delivery_id = k.d and a.status = 'in_flight' and a.deadline_at <= k.at
    )
    select k.d, max(a.deadline_at) as deadline
    from k join attempts a on a.workspace_id = k.w and a.delivery_id = k.d
    where a.status = 'in_flight' and a.deadline_at > k.at
    group by k.d
  `.execute(tx);
  return new Map(rows.flatMap(row => (row.deadline ? [[row.d, row.deadline] as const] : [])));
}

/**
 * Reads the channel's watches, where every unsettled delivery has one; those of queued ones end their window later
 * than any answer is waited for, except the last few, so `withinMs` keeps a backlog out of the account.
 */
export async function lockOpen(
  tx: Tx,
  of: { workspaceId: string; channelId: string; kind: string; withinMs: number },
): Promise<OpenAttempt[]> {
  const { rows } = await sql<{ id: string }>`
    select d.id from due_work w
    join deliveries d on d.workspace_id = w.workspace_id and d.id = w.subject_id and d.status = 'in_flight'
    where w.workspace_id = ${of.workspaceId}::uuid and w.kind = ${of.kind} and w.lane = ${of.channelId}::uuid
      and w.due_at <= now() + ${of.withinMs}::float8 * interval '1 millisecond'
  `.execute(tx);
  const keys = rows.map(row => ({ workspaceId: of.workspaceId, deliveryId: row.id }));
  const locked = await lockJourneys(tx, keys);
  const open = [...locked.values()].filter(({ journey }) => journey.status === 'in_flight');
  const last = await readLast(tx, open);
  return open.flatMap(journey => {
    const attempt = last.get(journey.deliveryId);
    return attempt ? [{ ...attempt, locked: journey }] : [];
  });
}

export async function clearUpAttempts(
  tx: Tx,
  of: { workspaceId: string; attemptId: string }[],
): Promise<void> {
  if (of.length === 0) return;
  const rows = JSON.stringify(of.map(({ workspaceId, attemptId }) => ({ w: workspaceId, a: attemptId })));
  await sql`
    update attempts set status = 'accepted', code = null, detail = null, settled_at = now()
    from json_to_recordset(${rows}::json) as k(w uuid, a uuid)
    where workspace_id = k.w and id = k.a and status = 'unknown'
  `.execute(tx);
}

function keysOf(of: DeliveryKey[]): string {
  return JSON.stringify(of.map(key => ({ w: key.workspaceId, d: key.deliveryId })));
}
