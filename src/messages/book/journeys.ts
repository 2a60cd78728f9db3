import { type RawBuilder, sql } from 'kysely';
import { type Actor, hintAfterCommit, type NewFact, recordAll, type Tx } from '../../kernel/index.ts';
import { factsBetween } from '../activity.ts';
import type { OnUnknown } from '../journey.ts';
import type { DeliveryStatus } from '../schema.ts';
import type { Change, DeliveryKey, Locked } from './book.ts';

const SYSTEM: Actor = { kind: 'system' };

/**
 * Reads and locks deliveries, always in the order of their ids, so that two batches cannot block each
 * other. By delivery id.
 */
export async function lockJourneys(tx: Tx, keys: DeliveryKey[]): Promise<Map<string, Locked>> {
  if (keys.length === 0) return new Map();
  const wanted = JSON.stringify(keys.map(key => ({ w: key.workspaceId, d: key.deliveryId })));
  const { rows } = await sql<Row>`
    select d.workspace_id, d.id, d.message_id, d.channel_id, d.group_id, d.phone,
      (extract(epoch from now() - d.catch_up_until) * 1000)::float8 as overdue_ms, d.status, d.reason, d.detail, d.due_at, d.catch_up_until,
      d.recipients, d.delivered_count, d.read_count, d.in_flight_at, d.accepted_at, d.sent_at, d.delivered_at,
      d.read_at, d.ended_at, d.resend_until, d.doubt_at, d.on_unknown
    from (select distinct w, d from json_to_recordset(${wanted}::json) as k(w uuid, d uuid)) k
    join deliveries d on d.workspace_id = k.w and d.id = k.d
    where ${idsBetween(
      'd',
      keys.map(key => key.deliveryId),
    )}
    order by d.id for update of d
  `.execute(tx);
  return new Map(rows.map(row => [row.id, lockedOf(row)]));
}

/**
 * Writes what has changed and records the facts that follow from it. What is no fact, such as a count of
 * receipts, reaches the open pages as a hint.
 */
export async function writeJourneys(tx: Tx, changes: Change[], actor: Actor = SYSTEM): Promise<void> {
  const real = changes.filter(({ locked, next }) => next !== locked.journey);
  if (real.length === 0) return;
  await sql`
    update deliveries d set status = j.status, reason = j.reason, detail = j.detail, due_at = j.due_at,
      catch_up_until = j.catch_up_until, recipients = j.recipients, delivered_count = j.delivered_count,
      read_count = j.read_count, in_flight_at = j.in_flight_at, accepted_at = j.accepted_at, sent_at = j.sent_at,
      delivered_at = j.delivered_at, read_at = j.read_at, ended_at = j.ended_at, resend_until = j.resend_until,
      doubt_at = j.doubt_at, on_unknown = j.on_unknown
    from json_to_recordset(${JSON.stringify(real.map(rowOf))}::json) as j(
      workspace_id uuid, id uuid, status text, reason text, detail text, due_at timestamptz,
      catch_up_until timestamptz, recipients integer, delivered_count integer, read_count integer,
      in_flight_at timestamptz, accepted_at timestamptz, sent_at timestamptz, delivered_at timestamptz,
      read_at timestamptz, ended_at timestamptz, resend_until timestamptz, doubt_at timestamptz, on_unknown text)
    where d.workspace_id = j.workspace_id and d.id = j.id
      and ${idsBetween(
        'd',
        real.map(({ locked }) => locked.deliveryId),
      )}
  `.execute(tx);
  for (const { locked } of real) hintAfterCommit(locked.workspaceId, 'messages');
  await recordAll(
    tx,
    real.flatMap(({ locked, next }) =>
      factsBetween(locked.journey, next, locked).map((fact: NewFact) => ({
        workspaceId: locked.workspaceId,
        actor,
        ...fact,
      })),
    ),
  );
}

/** Says again what a join by id says already, so that the planner leaves the other months out of account. */
export function idsBetween(table: string, ids: string[]): RawBuilder<boolean> {
  const id = sql.ref(`${table}.id`);
  const [least = '', most = ''] = [...ids].sort().filter((_, at, all) => at === 0 || at === all.length - 1);
  return sql`${id} between ${least}::uuid and ${most || least}::uuid`;
}

type Row = {
  workspace_id: string;
  id: string;
  message_id: string;
  channel_id: string;
  group_id: string | null;
  phone: string | null;
  overdue_ms: number;
  status: string;
  reason: string | null;
  detail: string | null;
  due_at: Date;
  catch_up_until: Date;
  recipients: number | null;
  delivered_count: number;
  read_count: number;
  in_flight_at: Date | null;
  accepted_at: Date | null;
  sent_at: Date | null;
  delivered_at: Date | null;
  read_at: Date | null;
  ended_at: Date | null;
  resend_until: Date | null;
  doubt_at: Date | null;
  on_unknown: string | null;
};

function lockedOf(row: Row): Locked {
  return {
    workspaceId: row.workspace_id,
    deliveryId: row.id,
    messageId: row.message_id,
    channelId: row.channel_id,
    groupId: row.group_id,
    phone: row.phone,
    overdueMs: row.overdue_ms,
    journey: {
      status: row.status as DeliveryStatus,
      reason: row.reason,
      detail: row.detail,
      dueAt: row.due_at,
      catchUpUntil: row.catch_up_until,
      recipients: row.recipients,
      deliveredCount: row.delivered_count,
      readCount: row.read_count,
      inFlightAt: row.in_flight_at,
      acceptedAt: row.accepted_at,
      sentAt: row.sent_at,
      deliveredAt: row.delivered_at,
      readAt: row.read_at,
      endedAt: row.ended_at,
      resendUntil: row.resend_until,
      doubtAt: row.doubt_at,
      onUnknown: row.on_unknown as OnUnknown | null,
    },
  };
}

function rowOf({ locked, next }: Change) {
  return {
    workspace_id: locked.workspaceId,
    id: locked.deliveryId,
    status: next.status,
    reason: next.reason,
    detail: next.detail,
    due_at: next.dueAt,
    catch_up_until: next.catchUpUntil,
    recipients: next.recipients,
    delivered_count: next.deliveredCount,
    read_count: next.readCount,
    in_flight_at: next.inFlightAt,
    accepted_at: next.acceptedAt,
    sent_at: next.sentAt,
    delivered_at: next.deliveredAt,
    read_at: next.readAt,
    ended_at: next.endedAt,
    resend_until: next.resendUntil,
    doubt_at: next.doubtAt,
    on_unknown: next.onUnknown,
  };
}
