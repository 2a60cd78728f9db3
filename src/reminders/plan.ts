import { cancelDue, newId, type Scope, scheduleDue, type Tx } from '../kernel/index.ts';
import { cancelQueued } from '../messages/index.ts';
import { EXPAND_AHEAD_MS } from './policy.ts';
import type { Occurrence } from './recurrence.ts';

export const OCCURRENCE = 'occurrence';

/** Writes the one pending occurrence of a reminder and puts it on the list of due work. */
export async function planOccurrence(
  tx: Tx,
  scope: Scope,
  reminder: { id: string; channelId: string; revision: number },
  occurrence: Occurrence,
): Promise<void> {
  const id = newId();
  await tx
    .insertInto('reminder_occurrences')
    .values({
      workspace_id: scope.workspaceId,
      id,
      reminder_id: reminder.id,
      revision: reminder.revision,
      local: occurrence.local,
      shifted: occurrence.shifted,
      due_at: occurrence.at,
    })
    .execute();
  await scheduleDue(tx, [
    {
      workspaceId: scope.workspaceId,
      kind: OCCURRENCE,
      subjectId: id,
      lane: reminder.channelId,
      dueAt: new Date(occurrence.at.getTime() - EXPAND_AHEAD_MS),
      priority: 0,
    },
  ]);
}

/**
 * Takes back all that has not left yet: the pending occurrence, and the deliveries of expanded ones
 * that are still queued. An occurrence of which nothing left is cancelled, so its instant may come
 * again; one that began stays, so it cannot. Returns how many deliveries were cancelled.
 */
export async function takeBack(tx: Tx, scope: Scope, reminderId: string): Promise<number> {
  const pending = await tx
    .updateTable('reminder_occurrences')
    .set({ status: 'cancelled' })
    .where('workspace_id', '=', scope.workspaceId)
    .where('reminder_id', '=', reminderId)
    .where('status', '=', 'pending')
    .returning('id')
    .execute();
  await cancelDue(
    tx,
    scope.workspaceId,
    OCCURRENCE,
    pending.map(row => row.id),
  );
  const expanded = await tx
    .selectFrom('reminder_occurrences as o')
    .innerJoin('reminder_occurrence_targets as t', join =>
      join.onRef('t.workspace_id', '=', 'o.workspace_id').onRef('t.occurrence_id', '=', 'o.id'),
    )
    .innerJoin('deliveries as d', join =>
      join.onRef('d.workspace_id', '=', 't.workspace_id').onRef('d.message_id', '=', 't.message_id'),
    )
    .select(['o.id as occurrenceId', 't.message_id as messageId', 'd.status'])
    .where('o.workspace_id', '=', scope.workspaceId)
    .where('o.reminder_id', '=', reminderId)
    .where('o.status', '=', 'expanded')
    .where('o.due_at', '>', recently(scope))
    .execute();
  const queued = expanded.filter(row => row.status === 'queued').map(row => row.messageId);
  const cancelled = new Set(await cancelQueued(tx, scope, queued));
  const begun = new Set(expanded.filter(row => !cancelled.has(row.messageId)).map(row => row.occurrenceId));
  const whole = [...new Set(expanded.map(row => row.occurrenceId))].filter(id => !begun.has(id));
  if (whole.length > 0) {
    await tx
      .updateTable('reminder_occurrences')
      .set({ status: 'cancelled' })
      .where('workspace_id', '=', scope.workspaceId)
      .where('id', 'in', whole)
      .execute();
  }
  return cancelled.size;
}

/** The instant after which the next occurrence may lie: nothing that began is planned again. */
export async function planAfter(tx: Tx, scope: Scope, reminderId: string): Promise<Date> {
  const now = scope.kernel.clock.now();
  const last = await tx
    .selectFrom('reminder_occurrences')
    .select(eb => eb.fn.max('due_at').as('at'))
    .where('workspace_id', '=', scope.workspaceId)
    .where('reminder_id', '=', reminderId)
    .where('status', 'in', ['expanded', 'missed'])
    .executeTakeFirst();
  const at = last?.at ? new Date(last.at) : now;
  return at.getTime() > now.getTime() ? at : now;
}

/** Deliveries wait for at most the longest catch-up window, a day; older occurrences are settled. */
function recently(scope: Scope): Date {
  return new Date(scope.kernel.clock.now().getTime() - 2 * 86_400_000);
}
