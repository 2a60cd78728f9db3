import {
  createDueWorker,
  type DueItem,
  type DueWorker,
  inWorkspace,
  type Kernel,
  mintScope,
  newId,
  type Scope,
  scheduleDue,
  type Tx,
  takeDue,
} from '../kernel/index.ts';
import { sendMany } from '../messages/index.ts';
import { recordReminder } from './activity.ts';
import { OCCURRENCE, planOccurrence } from './plan.ts';
import { advance, decide, type ReminderStatus } from './policy.ts';
import { nextOccurrence, type Occurrence } from './recurrence.ts';
import { readSchedule } from './validate.ts';

type Due = Awaited<ReturnType<typeof lockOccurrence>>;

/** Turns occurrences into deliveries a minute ahead of their instant. Any node may; each occurrence once. */
export function createReminders(kernel: Kernel): DueWorker {
  return createDueWorker(kernel, {
    kind: OCCURRENCE,
    lanes: 'all',
    fire: async items => {
      for (const item of items) {
        await runOccurrence(kernel, item).catch(error =>
          kernel.log.error({ err: error, occurrence_id: item.subjectId }, 'reminders.run failed'),
        );
      }
    },
  });
}

/** One transaction: claim checked, deliveries written, next occurrence planned. */
async function runOccurrence(kernel: Kernel, item: DueItem): Promise<void> {
  const scope = mintScope(kernel, item.workspaceId, { kind: 'system' });
  await inWorkspace(scope, async tx => {
    const [taken] = await takeDue(tx, kernel.node.bootId, [item]);
    if (!taken) return;
    const due = await lockOccurrence(tx, scope, item.subjectId);
    const now = kernel.clock.now();
    if (!due) return endIfOver(tx, scope, item.subjectId, now);
    const verdict = decide({ status: due.status, dueAt: due.dueAt, catchUpMs: due.catchUpMs, now });
    if (verdict === 'drop') return markOccurrence(tx, scope, due.occurrenceId, 'cancelled', now);
    if (verdict === 'expand') await expand(tx, scope, due, now);
    await goOn(tx, scope, due, verdict === 'miss', now);
  });
}

async function lockOccurrence(tx: Tx, scope: Scope, occurrenceId: string) {
  const row = await tx
    .selectFrom('reminder_occurrences as o')
    .innerJoin('reminders as r', join =>
      join.onRef('r.workspace_id', '=', 'o.workspace_id').onRef('r.id', '=', 'o.reminder_id'),
    )
    .selectAll('r')
    .select(['o.id as occurrence_id', 'o.due_at', 'o.local as local'])
    .where('o.workspace_id', '=', scope.workspaceId)
    .where('o.id', '=', occurrenceId)
    .where('o.status', '=', 'pending')
    .forUpdate()
    .executeTakeFirst();
  if (!row) return undefined;
  return {
    reminder: row,
    occurrenceId: row.occurrence_id,
    dueAt: row.due_at,
    status: row.status as ReminderStatus,
    catchUpMs: row.catch_up_ms,
  };
}

async function expand(tx: Tx, scope: Scope, due: NonNullable<Due>, now: Date): Promise<void> {
  const { reminder } = due;
  const targets = await tx
    .selectFrom('reminder_targets')
    .select(['position', 'group_id', 'phone'])
    .where('workspace_id', '=', scope.workspaceId)
    .where('reminder_id', '=', reminder.id)
    .orderBy('position')
    .execute();
  const rows = targets.map(target => ({ ...target, message_id: newId() }));
  await tx
    .insertInto('reminder_occurrence_targets')
    .values(rows.map(row => ({ workspace_id: scope.workspaceId, occurrence_id: due.occurrenceId, ...row })))
    .execute();
  await sendMany(
    scope,
    rows.map(row => ({
      messageId: row.message_id,
      channelId: reminder.channel_id,
      target: row.group_id !== null ? { group_id: row.group_id } : { phone: row.phone ?? '' },
      content: reminder.content as Parameters<typeof sendMany>[1][number]['content'],
      dueAt: due.dueAt,
      catchUpMs: due.catchUpMs,
      source: 'reminder' as const,
      sourceId: reminder.id,
    })),
  );
  await markOccurrence(tx, scope, due.occurrenceId, 'expanded', now);
  await recordReminder(tx, scope, 'reminder.fired', reminder.id, {
    occurrence_id: due.occurrenceId,
    due_at: due.dueAt.toISOString(),
    messages: rows.length,
  });
}

/** Plans what comes next; what an outage swallowed is written down as missed, never sent in a burst. */
async function goOn(
  tx: Tx,
  scope: Scope,
  due: NonNullable<Due>,
  missedItself: boolean,
  now: Date,
): Promise<void> {
  const { reminder } = due;
  if (missedItself) await markOccurrence(tx, scope, due.occurrenceId, 'missed', now);
  const schedule = readSchedule(reminder);
  const plan = advance({
    next: after => nextOccurrence(schedule, after),
    after: due.dueAt,
    endsAt: reminder.ends_at,
    catchUpMs: due.catchUpMs,
    now,
  });
  await writeMissed(tx, scope, reminder, plan.missed);
  const count = plan.missed.length + (missedItself ? 1 : 0);
  if (count > 0) {
    await recordReminder(tx, scope, 'reminder.missed', reminder.id, {
      due_at: due.dueAt.toISOString(),
      count,
    });
  }
  if (plan.next) {
    await planOccurrence(
      tx,
      scope,
      { id: reminder.id, channelId: reminder.channel_id, revision: reminder.revision },
      plan.next,
    );
    return;
  }
  if (due.dueAt.getTime() <= now.getTime()) return endIfOver(tx, scope, due.occurrenceId, now);
  await scheduleDue(tx, [
    {
      workspaceId: scope.workspaceId,
      kind: OCCURRENCE,
      subjectId: due.occurrenceId,
      lane: reminder.channel_id,
      dueAt: due.dueAt,
      priority: 0,
    },
  ]);
}

/** Only once the last instant has passed: until then people may still pause or change the reminder. */
async function endIfOver(tx: Tx, scope: Scope, occurrenceId: string, now: Date): Promise<void> {
  const ended = await tx
    .updateTable('reminders as r')
    .from('reminder_occurrences as last')
    .set({ status: 'ended', updated_at: now })
    .whereRef('last.workspace_id', '=', 'r.workspace_id')
    .whereRef('last.reminder_id', '=', 'r.id')
    .where('r.workspace_id', '=', scope.workspaceId)
    .where('last.id', '=', occurrenceId)
    .where('r.status', '=', 'active')
    .where(({ not, exists, selectFrom }) =>
      not(
        exists(
          selectFrom('reminder_occurrences as o')
            .select('o.id')
            .whereRef('o.workspace_id', '=', 'r.workspace_id')
            .whereRef('o.reminder_id', '=', 'r.id')
            .where(eb =>
              eb.or([
                eb('o.status', '=', 'pending'),
                eb.and([eb('o.status', '=', 'expanded'), eb('o.due_at', '>', now)]),
              ]),
            ),
        ),
      ),
    )
    .returning('r.id')
    .executeTakeFirst();
  if (ended) await recordReminder(tx, scope, 'reminder.ended', ended.id, {});
}

async function writeMissed(
  tx: Tx,
  scope: Scope,
  reminder: { id: string; revision: number },
  missed: Occurrence[],
): Promise<void> {
  if (missed.length === 0) return;
  await tx
    .insertInto('reminder_occurrences')
    .values(
      missed.map(occurrence => ({
        workspace_id: scope.workspaceId,
        id: newId(),
        reminder_id: reminder.id,
        revision: reminder.revision,
        local: occurrence.local,
        shifted: occurrence.shifted,
        due_at: occurrence.at,
        status: 'missed',
        reason: 'outage',
      })),
    )
    .execute();
}

async function markOccurrence(
  tx: Tx,
  scope: Scope,
  id: string,
  status: 'expanded' | 'missed' | 'cancelled',
  now: Date,
): Promise<void> {
  await tx
    .updateTable('reminder_occurrences')
    .set({
      status,
      ...(status === 'expanded' ? { expanded_at: now } : {}),
      ...(status === 'missed' ? { reason: 'outage' } : {}),
    })
    .where('workspace_id', '=', scope.workspaceId)
    .where('id', '=', id)
    .execute();
}
