import { sql } from 'kysely';
import { channelForSending, groupForSending } from '../channels/index.ts';
import {
  type By,
  type Content,
  cancelDue,
  invalidField,
  inWorkspace,
  type NewFact,
  newId,
  notFound,
  recordAll,
  type Scope,
  scheduleDue,
  type Target,
  type Tx,
} from '../kernel/index.ts';
import { messageFact } from './activity.ts';
import { DELIVERY, deliveryAt, WATCH, watchAt } from './due-kinds.ts';
import { CHANNEL_REMOVED, GROUP_GONE, type Why } from './journey.ts';
import { checkPhone } from './phone.ts';
import { CATCH_UP_MS, checkContent, dueAtOf, refuseCancel } from './policy.ts';
import type { DeliveryStatus } from './schema.ts';

const CANCEL_BATCH = 1_000;

export type Intent = {
  /** Drawn beforehand when the caller must store it; else left out. */
  messageId?: string;
  channelId: string;
  target: Target;
  content: Content;
  dueAt: Date;
  /** How late it may still go out, in ms after `dueAt`. */
  catchUpMs: number;
  source: 'api' | 'reminder';
  sourceId: string | null;
};

/** Accepts one message from the API; returns its id. 422 names the field at fault. */
export async function send(
  scope: Scope,
  input: { channelId: string; target: Target; content: Content; sendAt?: string | undefined },
): Promise<string> {
  const dueAt = dueAtOf(input.sendAt, scope.kernel.clock.now());
  return inWorkspace(scope, async tx => {
    const channel = await channelForSending(tx, scope, input.channelId);
    if (!channel)
      throw invalidField('channel_id', 'There is no such channel in this workspace. Choose another one.');
    checkContent(channel.capabilities, input.content);
    await checkTarget(tx, scope, channel.id, input.target);
    const [id] = await accept(tx, scope, [
      {
        channelId: channel.id,
        target: input.target,
        content: input.content,
        dueAt,
        catchUpMs: input.sendAt === undefined ? CATCH_UP_MS.immediate : CATCH_UP_MS.scheduled,
        source: 'api',
        sourceId: null,
      },
    ]);
    return id ?? '';
  });
}

/**
 * Accepts messages whose targets were checked before, such as the expansion of an occurrence. A group
 * that was archived meanwhile fails at once, visibly; the others are not held up by it.
 */
export function sendMany(scope: Scope, intents: Intent[]): Promise<string[]> {
  return inWorkspace(scope, tx => accept(tx, scope, intents));
}

/** Takes a message back while it is queued; 409 `illegal_state` once it has left. */
export function cancel(scope: Scope, messageId: string): Promise<void> {
  return inWorkspace(scope, async tx => {
    const [cancelled] = await cancelQueued(tx, scope, [messageId]);
    if (cancelled) return;
    const delivery = await tx
      .selectFrom('deliveries')
      .select('status')
      .where('workspace_id', '=', scope.workspaceId)
      .where('message_id', '=', messageId)
      .executeTakeFirst();
    if (!delivery) throw notFound();
    throw refuseCancel(delivery.status as DeliveryStatus);
  });
}

/** Cancels all that is queued on a channel that is being removed, in the caller's transaction. */
export async function cancelMessagesOf(tx: Tx, scope: Scope, channelId: string): Promise<void> {
  const queued = await tx
    .selectFrom('due_work as w')
    .innerJoin('deliveries as d', join =>
      join.onRef('d.workspace_id', '=', 'w.workspace_id').onRef('d.id', '=', 'w.subject_id'),
    )
    .select('d.message_id as id')
    .where('w.workspace_id', '=', scope.workspaceId)
    .where('w.kind', '=', DELIVERY)
    .where('w.lane', '=', channelId)
    .execute();
  for (let from = 0; from < queued.length; from += CANCEL_BATCH) {
    const ids = queued.slice(from, from + CANCEL_BATCH).map(row => row.id);
    await cancelQueued(tx, scope, ids, CHANNEL_REMOVED);
  }
}

/** Cancels those of the messages that are still queued, in the caller's transaction; returns their ids. */
export async function cancelQueued(tx: Tx, scope: Scope, messageIds: string[], why?: Why): Promise<string[]> {
  if (messageIds.length === 0) return [];
  const rows = await tx
    .updateTable('deliveries')
    .set({ status: 'cancelled', ...why, ended_at: scope.kernel.clock.now() })
    .where('workspace_id', '=', scope.workspaceId)
    .where('message_id', 'in', messageIds)
    .where('status', '=', 'queued')
    .returning(['id', 'message_id'])
    .execute();
  const ids = rows.map(row => row.id);
  await cancelDue(tx, scope.workspaceId, DELIVERY, ids);
  await cancelDue(tx, scope.workspaceId, WATCH, ids);
  await recordAll(
    tx,
    rows.map(row => ({
      ...by(scope),
      ...messageFact('message.cancelled', row.message_id, { delivery_id: row.id }),
    })),
  );
  return rows.map(row => row.message_id);
}

async function checkTarget(tx: Tx, scope: Scope, channelId: string, target: Target): Promise<void> {
  if ('phone' in target) {
    const fault = checkPhone(target.phone);
    if (fault) throw invalidField('to.phone', fault);
    return;
  }
  const group = await groupForSending(tx, scope, target.group_id);
  if (!group || group.channelId !== channelId) {
    throw invalidField('to.group_id', 'There is no such group on this channel. Choose another one.');
  }
  if (group.archivedAt) {
    throw invalidField(
      'to.group_id',
      `The channel is no longer in the group "${group.subject}". Choose another one.`,
    );
  }
}

type GroupFacts = { name: string | null; gone: boolean };

async function accept(tx: Tx, scope: Scope, intents: Intent[]): Promise<string[]> {
  if (intents.length === 0) return [];
  const groups = await groupFacts(tx, scope, intents);
  const rows = intents.map(intent => {
    const group = 'group_id' in intent.target ? groups.get(intent.target.group_id) : undefined;
    return { intent, messageId: intent.messageId ?? newId(), deliveryId: newId(), group };
  });
  await insertMessages(tx, scope, rows);
  await insertDeliveries(tx, scope, rows);
  const alive = rows.filter(row => !row.group?.gone);
  await scheduleDue(
    tx,
    alive.flatMap(({ intent, deliveryId }) => {
      const of = { workspaceId: scope.workspaceId, channelId: intent.channelId, deliveryId };
      return [deliveryAt(of, intent.dueAt), watchAt(of, catchUpUntil(intent))];
    }),
  );
  await recordAll(
    tx,
    rows.flatMap(row => factsOf(row).map(fact => ({ ...by(scope), ...fact }))),
  );
  return rows.map(row => row.messageId);
}

function factsOf({ intent, messageId, deliveryId, group }: Row): NewFact[] {
  const accepted = messageFact('message.accepted', messageId, {
    delivery_id: deliveryId,
    channel_id: intent.channelId,
    due_at: intent.dueAt.toISOString(),
    source: intent.source,
  });
  if (!group?.gone) return [accepted];
  const { reason } = GROUP_GONE;
  return [accepted, messageFact('message.failed', messageId, { delivery_id: deliveryId, reason })];
}

function by(scope: Scope): By {
  return { workspaceId: scope.workspaceId, actor: scope.actor };
}

type Row = { intent: Intent; messageId: string; deliveryId: string; group: GroupFacts | undefined };

async function insertMessages(tx: Tx, scope: Scope, rows: Row[]): Promise<void> {
  await tx
    .insertInto('messages')
    .values(
      rows.map(({ intent, messageId }) => ({
        workspace_id: scope.workspaceId,
        id: messageId,
        channel_id: intent.channelId,
        direction: 'out',
        source: intent.source,
        source_id: intent.sourceId,
        content: sql<never>`${JSON.stringify(intent.content)}::jsonb`,
        created_by: scope.actor.kind === 'user' ? scope.actor.id : null,
        created_at: scope.kernel.clock.now(),
      })),
    )
    .execute();
}

async function insertDeliveries(tx: Tx, scope: Scope, rows: Row[]): Promise<void> {
  const now = scope.kernel.clock.now();
  await tx
    .insertInto('deliveries')
    .values(
      rows.map(({ intent, messageId, deliveryId, group }) => ({
        workspace_id: scope.workspaceId,
        id: deliveryId,
        message_id: messageId,
        channel_id: intent.channelId,
        group_id: 'group_id' in intent.target ? intent.target.group_id : null,
        phone: 'phone' in intent.target ? intent.target.phone : null,
        recipient_name: group?.name ?? null,
        due_at: intent.dueAt,
        catch_up_until: catchUpUntil(intent),
        ...(group?.gone ? { status: 'failed', ...GROUP_GONE, ended_at: now } : { status: 'queued' }),
      })),
    )
    .execute();
}

async function groupFacts(tx: Tx, scope: Scope, intents: Intent[]): Promise<Map<string, GroupFacts>> {
  const ids = intents.flatMap(({ target }) => ('group_id' in target ? [target.group_id] : []));
  if (ids.length === 0) return new Map();
  const rows = await tx
    .selectFrom('groups')
    .select(['id', 'subject', 'archived_at'])
    .where('workspace_id', '=', scope.workspaceId)
    .where('id', 'in', ids)
    .execute();
  return new Map(rows.map(row => [row.id, { name: row.subject, gone: row.archived_at !== null }]));
}

function catchUpUntil(intent: Intent): Date {
  return new Date(intent.dueAt.getTime() + intent.catchUpMs);
}
