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
  const columns = columnsFor(real);
  await columns.write(
    tx,
    list(real.map(({ locked }) => locked.workspaceId)),
    list(real.map(({ locked }) => locked.deliveryId)),
    ...columns.names.map(name => COLUMNS[name].array(real.map(({ next }) => next))),
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

type Column = {
  type: 'text' | 'integer' | 'instant';
  of: (journey: Journey) => string | number | null;
  array: (journeys: Journey[]) => string;
};

const text = (of: (journey: Journey) => string | null): Column => ({
  type: 'text',
  of,
  array: journeys => texts(journeys.map(of)),
});
const integer = (of: (journey: Journey) => number | null): Column => ({
  type: 'integer',
  of,
  array: journeys => list(journeys.map(of)),
});
const instant = (of: (journey: Journey) => Date | null): Column => ({
  type: 'instant',
  of: journey => of(journey)?.getTime() ?? null,
  array: journeys => instants(journeys.map(of)),
});

const COLUMNS = {
  status: text(journey => journey.status),
  reason: text(journey => journey.reason),
  detail: text(journey => journey.detail),
  due_at: instant(journey => journey.dueAt),
  catch_up_until: instant(journey => journey.catchUpUntil),
  recipients: integer(journey => journey.recipients),
  delivered_count: integer(journey => journey.deliveredCount),
  read_count: integer(journey => journey.readCount),
  in_flight_at: instant(journey => journey.inFlightAt),
  accepted_at: instant(journey => journey.acceptedAt),
  sent_at: instant(journey => journey.sentAt),
  delivered_at: instant(journey => journey.deliveredAt),
  read_at: instant(journey => journey.readAt),
  ended_at: instant(journey => journey.endedAt),
  resend_until: instant(journey => journey.resendUntil),
  doubt_at: instant(journey => journey.doubtAt),
  on_unknown: text(journey => journey.onUnknown),
} satisfies Record<string, Column>;

type Name = keyof typeof COLUMNS;
const ALL = Object.keys(COLUMNS) as Name[];

/** The two steps that every message takes write few columns; whatever else happens writes them all. */
const WRITES = [
  writing(['status', 'accepted_at', 'sent_at']),
  writing(['status', 'recipients', 'in_flight_at', 'resend_until', 'on_unknown']),
];
const WRITE_ALL = writing(ALL);

function writing(names: Name[]) {
  const types = { text: 'text', integer: 'integer', instant: 'bigint' };
  const arrays = names.map((name, n) => `$${n + 3}::${types[COLUMNS[name].type]}[]`);
  const sets = names.map(name =>
    COLUMNS[name].type === 'instant'
      ? `${name} = to_timestamp(j.${name} / 1000.0::float8)`
      : `${name} = j.${name}`,
  );
  const write = kept(`
    update deliveries d set ${sets.join(', ')}
    from unnest($1::uuid[], $2::uuid[], ${arrays.join(', ')}) as j(workspace_id, id, ${names.join(', ')})
    where d.workspace_id = j.workspace_id and d.id = j.id`);
  return { names, others: ALL.filter(name => !names.includes(name)), write };
}

/** The fewest that hold all that has changed. */
function columnsFor(changes: Change[]): ReturnType<typeof writing> {
  const leaves = (name: Name) =>
    changes.every(({ locked, next }) => COLUMNS[name].of(locked.journey) === COLUMNS[name].of(next));
  return WRITES.find(({ others }) => others.every(leaves)) ?? WRITE_ALL;
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
