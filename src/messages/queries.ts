import type { z } from 'zod';
import { withinChannels } from '../channels/index.ts';
import {
  inWorkspace,
  maskPhone,
  notFound,
  pageCursor,
  readCursor,
  type Scope,
  type Tx,
} from '../kernel/index.ts';
import { GIVEN_UP } from './journey.ts';
import { hasEnded, isOpen, type Outcome, statusesOf } from './policy.ts';
import type { Delivery, DeliveryStatus, Message, MessageDetail, MessageQuery } from './schema.ts';
import { type Wait, waitsOf } from './waits.ts';

export type MessagePage = { data: Message[]; page: { next_cursor: string | null } };

/** Newest first. */
export function list(scope: Scope, query: z.output<typeof MessageQuery>): Promise<MessagePage> {
  return inWorkspace(scope, async tx => {
    let select = journeys(tx, scope)
      .orderBy('d.id', 'desc')
      .limit(query.limit + 1);
    const before = readCursor(query.cursor);
    if (before) select = select.where('d.id', '<', before);
    if (query.channel_id) select = select.where('d.channel_id', '=', query.channel_id);
    if (query.status) select = withStatus(select, [query.status]);
    if (query.outcome) select = withOutcome(select, query.outcome);
    if (query.source_id) select = select.where('m.source_id', '=', query.source_id);
    const rows = await select.execute();
    const shown = rows.slice(0, query.limit);
    const last = shown.at(-1);
    const waits = await waitsOf(tx, scope, shown);
    return {
      data: shown.map(row => messageView(row, waits.get(row.delivery_id))),
      page: { next_cursor: rows.length > query.limit && last ? pageCursor(last.delivery_id) : null },
    };
  });
}

/** One message with its whole journey; numbers of recipients are masked. */
export function get(scope: Scope, id: string): Promise<MessageDetail> {
  return inWorkspace(scope, async tx => {
    const row = await journeys(tx, scope).where('m.id', '=', id).executeTakeFirst();
    if (!row) throw notFound();
    const waits = await waitsOf(tx, scope, [row]);
    return {
      ...messageView(row, waits.get(row.delivery_id)),
      attempts: await attemptsOf(tx, scope, row.delivery_id),
      receipts: await receiptsOf(tx, scope, row.delivery_id),
    };
  });
}

function journeys(tx: Tx, scope: Scope) {
  return tx
    .selectFrom('deliveries as d')
    .innerJoin('messages as m', join =>
      join.onRef('m.workspace_id', '=', 'd.workspace_id').onRef('m.id', '=', 'd.message_id'),
    )
    .innerJoin('channels as c', join =>
      join.onRef('c.workspace_id', '=', 'd.workspace_id').onRef('c.id', '=', 'd.channel_id'),
    )
    .selectAll('d')
    .select([
      'd.id as delivery_id',
      'm.content',
      'm.source',
      'm.source_id',
      'm.created_at',
      'c.label as channel_label',
    ])
    .where('d.workspace_id', '=', scope.workspaceId)
    .where('m.direction', '=', 'out')
    .where(withinChannels(scope, 'd.channel_id'));
}

type Select = ReturnType<typeof journeys>;

/** Says again by instants what the status says: so the rare ones are found by an index of their own. */
function withStatus(select: Select, statuses: DeliveryStatus[]): Select {
  const of = select.where('d.status', 'in', statuses);
  if (statuses.every(isOpen)) return of.where('d.sent_at', 'is', null).where('d.ended_at', 'is', null);
  return statuses.every(hasEnded) ? of.where('d.ended_at', 'is not', null) : of;
}

/** As `outcomeOf` has it. */
function withOutcome(select: Select, outcome: Outcome): Select {
  const of = withStatus(select, outcome === 'stopped' ? ['cancelled', 'failed'] : statusesOf(outcome));
  if (outcome === 'needs_you') return of.where('d.reason', 'is distinct from', GIVEN_UP.reason);
  if (outcome !== 'stopped') return of;
  return of.where(eb => eb.or([eb('d.status', '=', 'cancelled'), eb('d.reason', '=', GIVEN_UP.reason)]));
}

type Row = Awaited<ReturnType<ReturnType<typeof journeys>['execute']>>[number];

function messageView(row: Row, wait: Wait | undefined): Message {
  return {
    id: row.message_id,
    channel_id: row.channel_id,
    channel_label: row.channel_label,
    to: { group_id: row.group_id, phone: row.phone, name: row.recipient_name },
    content: row.content as Message['content'],
    source: row.source as Message['source'],
    source_id: row.source_id,
    created_at: row.created_at.toISOString(),
    delivery: deliveryView(row, wait),
  };
}

function deliveryView(row: Row, wait: Wait | undefined): Delivery {
  return {
    id: row.delivery_id,
    status: row.status as Delivery['status'],
    reason: row.reason,
    detail: row.detail,
    due_at: row.due_at.toISOString(),
    in_flight_at: iso(row.in_flight_at),
    accepted_at: iso(row.accepted_at),
    sent_at: iso(row.sent_at),
    delivered_at: iso(row.delivered_at),
    read_at: iso(row.read_at),
    ended_at: iso(row.ended_at),
    doubt_at: iso(row.doubt_at),
    resend_until: iso(row.resend_until),
    waiting_for: wait?.for ?? null,
    waiting_until: iso(wait?.until ?? null),
    recipients: row.recipients,
    delivered_count: row.delivered_count,
    read_count: row.read_count,
  };
}

async function attemptsOf(tx: Tx, scope: Scope, deliveryId: string): Promise<MessageDetail['attempts']> {
  const rows = await tx
    .selectFrom('attempts')
    .select(['id', 'number', 'status', 'provider_id', 'code', 'detail', 'started_at', 'settled_at'])
    .where('workspace_id', '=', scope.workspaceId)
    .where('delivery_id', '=', deliveryId)
    .orderBy('number')
    .execute();
  return rows.map(row => ({
    ...row,
    status: row.status as MessageDetail['attempts'][number]['status'],
    started_at: row.started_at.toISOString(),
    settled_at: iso(row.settled_at),
  }));
}

const MOST_RECEIPTS = 2_000;

async function receiptsOf(tx: Tx, scope: Scope, deliveryId: string): Promise<MessageDetail['receipts']> {
  const rows = await tx
    .selectFrom('receipts')
    .select(['recipient', 'kind', 'at'])
    .where('workspace_id', '=', scope.workspaceId)
    .where('delivery_id', '=', deliveryId)
    .orderBy('at')
    .limit(MOST_RECEIPTS)
    .execute();
  return rows.map(row => ({
    recipient: maskPhone(row.recipient),
    kind: row.kind as MessageDetail['receipts'][number]['kind'],
    at: row.at.toISOString(),
  }));
}

function iso(at: Date | null): string | null {
  return at?.toISOString() ?? null;
}
