import { sql } from 'kysely';
import { bytes, instants, kept, list, type Tx, texts } from '../../kernel/index.ts';
import { UNKNOWN } from '../journey.ts';
import type { AttemptResult, DeliveryKey, Locked, NewAttempt, OpenAttempt, PastAttempt } from './book.ts';
import { lockJourneys } from './journeys.ts';

type PastRow = {
  d: string;
  id: string;
  number: number;
  channel_id: string;
  status: string;
  provider_id: string;
  wire_to: string;
  payload: Buffer;
  answers_opt_out: boolean;
};

/** The newest attempt of each delivery that has had one, by delivery id. */
export async function readLast(
  tx: Tx,
  of: DeliveryKey[],
): Promise<Map<string, PastAttempt & { inFlight: boolean }>> {
  if (of.length === 0) return new Map();
  const { rows } = await sql<PastRow>`
    select k.d, a.id, a.number, a.channel_id, a.status, a.provider_id, a.wire_to, a.payload,
      m.source = 'consent' as answers_opt_out
    from json_to_recordset(${keysOf(of)}::json) as k(w uuid, d uuid)
    cross join lateral (
      select * from attempts a where a.workspace_id = k.w and a.delivery_id = k.d order by a.number desc limit 1
    ) a
    join deliveries d on d.workspace_id = k.w and d.id = k.d
    join messages m on m.workspace_id = k.w and m.id = d.message_id
  `.execute(tx);
  return new Map(
    rows.map(row => [
      row.d,
      {
        id: row.id,
        number: row.number,
        channelId: row.channel_id,
        wire: {
          providerId: row.provider_id,
          to: row.wire_to,
          payload: row.payload,
          answersOptOut: row.answers_opt_out,
        },
        inFlight: row.status === 'in_flight',
      },
    ]),
  );
}

/** A re-send carries the id of the attempt before it: words about that id belong to the newest from now on. */
export async function insertAttempts(tx: Tx, attempts: NewAttempt[]): Promise<void> {
  if (attempts.length === 0) return;
  await insert(
    tx,
    list(attempts.map(attempt => attempt.workspaceId)),
    list(attempts.map(attempt => attempt.id)),
    list(attempts.map(attempt => attempt.deliveryId)),
    list(attempts.map(attempt => attempt.channelId)),
    list(attempts.map(attempt => attempt.number)),
    texts(attempts.map(attempt => attempt.wire.providerId)),
    texts(attempts.map(attempt => attempt.wire.to)),
    bytes(attempts.map(attempt => attempt.wire.payload)),
    list(attempts.map(attempt => attempt.fence)),
    instants(attempts.map(attempt => attempt.deadline)),
  );
}

const insert = kept(`
  with a as (
    select * from unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::uuid[], $5::smallint[], $6::text[], $7::text[],
      $8::bytea[], $9::bigint[], $10::bigint[])
      as a(workspace_id, id, delivery_id, channel_id, number, provider_id, wire_to, payload, fence, deadline)
  ), ids as (
    insert into provider_ids (workspace_id, channel_id, provider_id, delivery_id, attempt_id)
    select workspace_id, channel_id, provider_id, delivery_id, id from a
    on conflict (workspace_id, channel_id, provider_id) do update set attempt_id = excluded.attempt_id
      where provider_ids.delivery_id = excluded.delivery_id
  )
  insert into attempts (workspace_id, id, delivery_id, channel_id, number, provider_id, wire_to, payload, fence,
    deadline_at, status)
  select workspace_id, id, delivery_id, channel_id, number, provider_id, wire_to, payload, fence,
    to_timestamp(deadline / 1000.0::float8), 'in_flight'
  from a`);

/**
 * See `Book.settleAttempts`. The row is the attempt's own, begun under one fence, so whoever brings its answer may
 * write it; a later holder of the channel has made it `unknown` first, and then only evidence counts.
 */
export async function settleAttempts(tx: Tx, results: AttemptResult[]): Promise<Set<string>> {
  if (results.length === 0) return new Set();
  const changed = await settle(
    tx,
    list(results.map(result => result.workspaceId)),
    list(results.map(result => result.attemptId)),
    list(results.map(result => result.verdict.status)),
    texts(results.map(result => result.verdict.code)),
    texts(results.map(result => result.verdict.detail)),
    texts(results.map(result => result.providerId)),
  );
  await nameAttempts(
    tx,
    results.filter(result => result.providerId !== null),
  );
  return new Set(changed.map(row => row.id));
}

const settle = kept<{ id: string }>(`
  update attempts a set status = s.status, code = s.code, detail = s.detail, settled_at = now(),
    provider_id = coalesce(s.provider_id, a.provider_id)
  from unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::text[], $6::text[])
    as s(workspace_id, id, status, code, detail, provider_id)
  where a.workspace_id = s.workspace_id and a.id = s.id
    and (a.status = 'in_flight' or (a.status = 'unknown' and s.status in ('accepted', 'refused')))
  returning a.id`);

/** The ids that the provider has given, for all that it says of them later. */
async function nameAttempts(tx: Tx, results: AttemptResult[]): Promise<void> {
  if (results.length === 0) return;
  await name(
    tx,
    list(results.map(result => result.workspaceId)),
    list(results.map(result => result.channelId)),
    texts(results.map(result => result.providerId)),
    list(results.map(result => result.deliveryId)),
    list(results.map(result => result.attemptId)),
  );
}

const name = kept(`
  insert into provider_ids (workspace_id, channel_id, provider_id, delivery_id, attempt_id)
  select * from unnest($1::uuid[], $2::uuid[], $3::text[], $4::uuid[], $5::uuid[])
  on conflict do nothing`);

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
  const doubted = await perhapsArrived(tx, open);
  return open.flatMap(journey => {
    const attempt = last.get(journey.deliveryId);
    return attempt ? [{ ...attempt, locked: journey, doubted: doubted.get(journey.deliveryId) ?? 0 }] : [];
  });
}

/** How many attempts of a delivery may have got through, by delivery id; those that have none are left out. */
export async function perhapsArrived(tx: Tx, of: DeliveryKey[]): Promise<Map<string, number>> {
  if (of.length === 0) return new Map();
  const { rows } = await sql<{ d: string; count: number }>`
    select k.d, count(*)::int as count
    from json_to_recordset(${keysOf(of)}::json) as k(w uuid, d uuid)
    join attempts a on a.workspace_id = k.w and a.delivery_id = k.d
      and a.status in ('in_flight', 'unknown', 'accepted')
    group by k.d
  `.execute(tx);
  return new Map(rows.map(row => [row.d, row.count]));
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
