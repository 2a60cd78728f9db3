import {
  type Author,
  hintAfterCommit,
  instants,
  kept,
  list,
  type NewFact,
  recordAll,
  type Tx,
  texts,
} from '../../kernel/index.ts';
import { factsBetween } from '../activity.ts';
import type { Journey, OnUnknown } from '../journey.ts';
import type { DeliveryStatus } from '../schema.ts';
import type { Change, DeliveryKey, Locked } from './book.ts';

const SYSTEM: Author = { actor: { kind: 'system' } };

/**
 * Reads and locks deliveries, always in the order of their ids, so that two batches cannot block each
 * other. By delivery id.
 */
export async function lockJourneys(tx: Tx, keys: DeliveryKey[]): Promise<Map<string, Locked>> {
  if (keys.length === 0) return new Map();
  const workspaces = new Map(keys.map(key => [key.deliveryId, key.workspaceId]));
  const ids = [...workspaces.keys()].sort();
  const rows = await lock(tx, list(ids.map(id => workspaces.get(id) ?? null)), list(ids));
  return new Map(rows.map(row => [row.id, lockedOf(row)]));
}

/** Instants travel as ms, which costs a third of their text. */
const ms = (column: string) => `(date_part('epoch', d.${column}) * 1000)::bigint as ${column}`;
const at = (column: string) => `${column} = to_timestamp(j.${column} / 1000.0::float8)`;

const lock = kept<Row>(`
  select d.workspace_id, d.id, d.message_id, d.channel_id, d.group_id, d.phone,
    date_part('epoch', now() - d.catch_up_until) * 1000 as overdue_ms, d.status, d.reason, d.detail,
    ${ms('due_at')}, ${ms('catch_up_until')}, d.recipients, d.delivered_count, d.read_count, ${ms('in_flight_at')},
    ${ms('accepted_at')}, ${ms('sent_at')}, ${ms('delivered_at')}, ${ms('read_at')}, ${ms('ended_at')},
    ${ms('resend_until')}, ${ms('doubt_at')}, d.on_unknown
  from unnest($1::uuid[], $2::uuid[]) as k(workspace_id, id)
  cross join lateral (
    select * from deliveries d where d.workspace_id = k.workspace_id and d.id = k.id offset 0 for update
  ) d`);

/**
 * Writes what has changed and records the facts that follow from it. What is no fact, such as a count of
 * receipts, reaches the open pages as a hint.
 */
export async function writeJourneys(tx: Tx, changes: Change[], author: Author = SYSTEM): Promise<void> {
  const real = changes.filter(({ locked, next }) => next !== locked.journey);
  if (real.length === 0) return;
  const column = <T>(pick: (journey: Journey) => T) => real.map(({ next }) => pick(next));
  await write(
    tx,
    list(real.map(({ locked }) => locked.workspaceId)),
    list(real.map(({ locked }) => locked.deliveryId)),
    list(column(next => next.status)),
    texts(column(next => next.reason)),
    texts(column(next => next.detail)),
    instants(column(next => next.dueAt)),
    instants(column(next => next.catchUpUntil)),
    list(column(next => next.recipients)),
    list(column(next => next.deliveredCount)),
    list(column(next => next.readCount)),
    instants(column(next => next.inFlightAt)),
    instants(column(next => next.acceptedAt)),
    instants(column(next => next.sentAt)),
    instants(column(next => next.deliveredAt)),
    instants(column(next => next.readAt)),
    instants(column(next => next.endedAt)),
    instants(column(next => next.resendUntil)),
    instants(column(next => next.doubtAt)),
    list(column(next => next.onUnknown)),
  );
  for (const id of new Set(real.map(({ locked }) => locked.workspaceId))) hintAfterCommit(id, 'messages');
  await recordAll(
    tx,
    real.flatMap(({ locked, next }) =>
      factsBetween(locked.journey, next, locked).map((fact: NewFact) => ({
        workspaceId: locked.workspaceId,
        ...author,
        ...fact,
      })),
    ),
  );
}

const write = kept(`
  update deliveries d set status = j.status, reason = j.reason, detail = j.detail, ${at('due_at')},
    ${at('catch_up_until')}, recipients = j.recipients, delivered_count = j.delivered_count, read_count = j.read_count,
    ${at('in_flight_at')}, ${at('accepted_at')}, ${at('sent_at')}, ${at('delivered_at')}, ${at('read_at')},
    ${at('ended_at')}, ${at('resend_until')}, ${at('doubt_at')}, on_unknown = j.on_unknown
  from unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::text[], $6::bigint[], $7::bigint[], $8::integer[],
    $9::integer[], $10::integer[], $11::bigint[], $12::bigint[], $13::bigint[], $14::bigint[], $15::bigint[],
    $16::bigint[], $17::bigint[], $18::bigint[], $19::text[])
    as j(workspace_id, id, status, reason, detail, due_at, catch_up_until, recipients, delivered_count, read_count,
      in_flight_at, accepted_at, sent_at, delivered_at, read_at, ended_at, resend_until, doubt_at, on_unknown)
  where d.workspace_id = j.workspace_id and d.id = j.id`);

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
  due_at: number;
  catch_up_until: number;
  recipients: number | null;
  delivered_count: number;
  read_count: number;
  in_flight_at: number | null;
  accepted_at: number | null;
  sent_at: number | null;
  delivered_at: number | null;
  read_at: number | null;
  ended_at: number | null;
  resend_until: number | null;
  doubt_at: number | null;
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
      dueAt: new Date(row.due_at),
      catchUpUntil: new Date(row.catch_up_until),
      recipients: row.recipients,
      deliveredCount: row.delivered_count,
      readCount: row.read_count,
      inFlightAt: dateOf(row.in_flight_at),
      acceptedAt: dateOf(row.accepted_at),
      sentAt: dateOf(row.sent_at),
      deliveredAt: dateOf(row.delivered_at),
      readAt: dateOf(row.read_at),
      endedAt: dateOf(row.ended_at),
      resendUntil: dateOf(row.resend_until),
      doubtAt: dateOf(row.doubt_at),
      onUnknown: row.on_unknown as OnUnknown | null,
    },
  };
}

function dateOf(value: number | null): Date | null {
  return value === null ? null : new Date(value);
}
