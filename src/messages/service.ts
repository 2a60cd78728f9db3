import { channelForSending, groupForSending, withinChannels } from '../channels/index.ts';
import { checkPhone, optedOutAmong, refuseOptedOut } from '../contacts/index.ts';
import {
  authorOf,
  type Content,
  cancelDue,
  invalidField,
  inWorkspace,
  notFound,
  recordAll,
  type Scope,
  type Target,
  type Tx,
} from '../kernel/index.ts';
import { accept, type Intent, intentsOptedOut } from './accept.ts';
import { messageFact } from './activity.ts';
import { DELIVERY, newPeopleLane, WATCH } from './due-kinds.ts';
import { CHANNEL_REMOVED, type Why } from './journey.ts';
import { CATCH_UP_MS, checkContent, dueAtOf, refuseCancel } from './policy.ts';
import type { DeliveryStatus } from './schema.ts';

const CANCEL_BATCH = 1_000;

/**
 * Accepts one message from the API; returns its id. 422 names the field at fault, 403 `opted_out` a recipient who
 * wants no messages; who opts out later is found by the guard before the wire.
 */
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
 * Accepts messages whose targets were checked before, such as the expansion of an occurrence. A person who has
 * opted out meanwhile and a group that was archived fail at once, visibly; the others are not held up by them.
 */
export function sendMany(scope: Scope, intents: Intent[]): Promise<string[]> {
  return inWorkspace(scope, async tx =>
    accept(tx, scope, intents, await intentsOptedOut(tx, scope, intents)),
  );
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
      .where(withinChannels(scope, 'deliveries.channel_id'))
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
    .where('w.lane', 'in', [channelId, newPeopleLane(channelId)])
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
    .where(withinChannels(scope, 'deliveries.channel_id'))
    .returning(['id', 'message_id'])
    .execute();
  const ids = rows.map(row => row.id);
  await cancelDue(tx, scope.workspaceId, DELIVERY, ids);
  await cancelDue(tx, scope.workspaceId, WATCH, ids);
  await recordAll(
    tx,
    rows.map(row => ({
      workspaceId: scope.workspaceId,
      ...authorOf(scope),
      ...messageFact('message.cancelled', row.message_id, { delivery_id: row.id }),
    })),
  );
  return rows.map(row => row.message_id);
}

async function checkTarget(tx: Tx, scope: Scope, channelId: string, target: Target): Promise<void> {
  if ('phone' in target) {
    const fault = checkPhone(target.phone);
    if (fault) throw invalidField('to.phone', fault);
    const recipient = { workspaceId: scope.workspaceId, phone: target.phone };
    if ((await optedOutAmong(tx, [recipient])).size > 0) throw refuseOptedOut('to.phone');
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
