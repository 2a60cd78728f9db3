import { sql } from 'kysely';
import type { z } from 'zod';
import { AppError, inWorkspace, newId, notFound, type Scope, type Tx } from '../kernel/index.ts';
import { recordReminder } from './activity.ts';
import { planAfter, planOccurrence, takeBack } from './plan.ts';
import { DEFAULT_CATCH_UP_MS, mayDo, type ReminderStatus } from './policy.ts';
import { nextOccurrence, type Occurrence, type ParsedSchedule } from './recurrence.ts';
import type { NewReminder, ReminderChange } from './schema.ts';
import { checkDestination, firstOccurrence, readSchedule } from './validate.ts';

type NewInput = z.output<typeof NewReminder>;
type ChangeInput = z.output<typeof ReminderChange>;
type Targets = NewInput['targets'];

/** Creates a reminder with its first pending occurrence; returns its id. Errors: 422 with the fields at fault. */
export function create(scope: Scope, input: NewInput): Promise<string> {
  const schedule = readSchedule(input.schedule);
  const endsAt = instantOf(input.ends_at);
  const first = firstOccurrence(schedule, endsAt, scope.kernel.clock.now());
  return inWorkspace(scope, async tx => {
    await checkDestination(tx, scope, {
      channelId: input.channel_id,
      content: input.content,
      targets: input.targets,
    });
    const id = newId();
    await tx
      .insertInto('reminders')
      .values({
        workspace_id: scope.workspaceId,
        id,
        channel_id: input.channel_id,
        content: sql`${JSON.stringify(input.content)}::jsonb`,
        ...scheduleColumns(schedule),
        ends_at: endsAt,
        catch_up_ms: input.catch_up_ms ?? DEFAULT_CATCH_UP_MS,
        created_by: scope.actor.kind === 'user' ? scope.actor.id : null,
      })
      .execute();
    await writeTargets(tx, scope, id, input.targets);
    await planOccurrence(tx, scope, { id, channelId: input.channel_id, revision: 1 }, first);
    await recordReminder(tx, scope, 'reminder.created', id, { next_at: first.at.toISOString() });
    return id;
  });
}

/**
 * Changes what is named and replaces all that has not left yet. `ifMatch` = the version that the
 * caller saw; another one is 412 `version_conflict`.
 */
export function change(
  scope: Scope,
  id: string,
  input: ChangeInput,
  ifMatch: number | undefined,
): Promise<void> {
  return inWorkspace(scope, async tx => {
    const reminder = await lock(tx, scope, id, 'change', ifMatch);
    const schedule = readSchedule(input.schedule ?? reminder);
    const endsAt = input.ends_at === undefined ? reminder.ends_at : instantOf(input.ends_at);
    const timing = input.schedule !== undefined || input.ends_at !== undefined;
    const targets = input.targets ?? (await targetsOf(tx, scope, id));
    const content = input.content ?? (reminder.content as NewInput['content']);
    await checkDestination(tx, scope, {
      channelId: reminder.channel_id,
      content,
      targets: input.targets ?? [],
    });
    if (timing) firstOccurrence(schedule, endsAt, scope.kernel.clock.now());
    await takeBack(tx, scope, id);
    const status: ReminderStatus = reminder.status === 'ended' && timing ? 'active' : reminder.status;
    const revision = reminder.revision + 1;
    const next =
      status === 'active' ? await planNext(tx, scope, { ...reminder, id, revision }, schedule, endsAt) : null;
    await tx
      .updateTable('reminders')
      .set({
        content: sql`${JSON.stringify(content)}::jsonb`,
        ...scheduleColumns(schedule),
        ends_at: endsAt,
        catch_up_ms: input.catch_up_ms ?? reminder.catch_up_ms,
        status: status === 'active' && next === null ? 'ended' : status,
        revision,
        version: reminder.version + 1,
        updated_at: scope.kernel.clock.now(),
      })
      .where('workspace_id', '=', scope.workspaceId)
      .where('id', '=', id)
      .execute();
    if (input.targets) {
      await tx
        .deleteFrom('reminder_targets')
        .where('workspace_id', '=', scope.workspaceId)
        .where('reminder_id', '=', id)
        .execute();
      await writeTargets(tx, scope, id, targets);
    }
    await recordReminder(tx, scope, 'reminder.changed', id, {
      fields: Object.keys(input),
      next_at: iso(next),
    });
  });
}

/** Stops it until `resume`; what is queued for the coming instant is cancelled. Repeating it changes nothing. */
export function pause(scope: Scope, id: string, ifMatch: number | undefined): Promise<void> {
  return inWorkspace(scope, async tx => {
    const reminder = await lock(tx, scope, id, 'pause', ifMatch);
    if (reminder.status === 'paused') return;
    const cancelled = await takeBack(tx, scope, id);
    await setStatus(tx, scope, id, 'paused');
    await recordReminder(tx, scope, 'reminder.paused', id, { cancelled });
  });
}

/** Goes on with the next occurrence after now; what fell into the pause is not made up for. */
export function resume(scope: Scope, id: string, ifMatch: number | undefined): Promise<void> {
  return inWorkspace(scope, async tx => {
    const reminder = await lock(tx, scope, id, 'resume', ifMatch);
    if (reminder.status === 'active') return;
    const next = await planNext(tx, scope, { ...reminder, id }, readSchedule(reminder), reminder.ends_at);
    await setStatus(tx, scope, id, next ? 'active' : 'ended');
    await recordReminder(tx, scope, 'reminder.resumed', id, { next_at: iso(next) });
  });
}

/** Deletes it; its runs stay in the history of messages. */
export function remove(scope: Scope, id: string, ifMatch: number | undefined): Promise<void> {
  return inWorkspace(scope, async tx => {
    await lock(tx, scope, id, 'remove', ifMatch);
    const cancelled = await takeBack(tx, scope, id);
    await setStatus(tx, scope, id, 'deleted');
    await recordReminder(tx, scope, 'reminder.removed', id, { cancelled });
  });
}

/** Ends the reminders of a channel that is being removed, in the caller's transaction. */
export async function endRemindersOf(tx: Tx, scope: Scope, channelId: string): Promise<void> {
  const reminders = await tx
    .selectFrom('reminders')
    .select('id')
    .where('workspace_id', '=', scope.workspaceId)
    .where('channel_id', '=', channelId)
    .where('status', 'in', ['active', 'paused'])
    .forUpdate()
    .execute();
  for (const { id } of reminders) {
    await takeBack(tx, scope, id);
    await setStatus(tx, scope, id, 'ended');
    await recordReminder(tx, scope, 'reminder.ended', id, {});
  }
}

async function lock(
  tx: Tx,
  scope: Scope,
  id: string,
  action: Parameters<typeof mayDo>[0],
  ifMatch: number | undefined,
) {
  const row = await tx
    .selectFrom('reminders')
    .selectAll()
    .where('workspace_id', '=', scope.workspaceId)
    .where('id', '=', id)
    .where('status', '<>', 'deleted')
    .forUpdate()
    .executeTakeFirst();
  if (!row) throw notFound();
  if (ifMatch !== undefined && ifMatch !== row.version) {
    throw new AppError(
      'version_conflict',
      'Somebody changed this reminder meanwhile. Load it again, then repeat your change.',
      {
        extra: { version: row.version },
      },
    );
  }
  const status = row.status as ReminderStatus;
  if (!mayDo(action, status)) {
    throw new AppError('illegal_state', `A reminder that is ${status} cannot be changed this way.`);
  }
  return { ...row, status };
}

async function planNext(
  tx: Tx,
  scope: Scope,
  reminder: { id: string; channel_id: string; revision: number },
  schedule: ParsedSchedule,
  endsAt: Date | null,
): Promise<Occurrence | null> {
  const next = nextOccurrence(schedule, await planAfter(tx, scope, reminder.id));
  if (next === null || (endsAt !== null && next.at.getTime() > endsAt.getTime())) return null;
  await planOccurrence(
    tx,
    scope,
    { id: reminder.id, channelId: reminder.channel_id, revision: reminder.revision },
    next,
  );
  return next;
}

async function setStatus(tx: Tx, scope: Scope, id: string, status: ReminderStatus): Promise<void> {
  await tx
    .updateTable('reminders')
    .set(eb => ({ status, version: eb('version', '+', 1), updated_at: scope.kernel.clock.now() }))
    .where('workspace_id', '=', scope.workspaceId)
    .where('id', '=', id)
    .execute();
}

async function targetsOf(tx: Tx, scope: Scope, reminderId: string): Promise<Targets> {
  const rows = await tx
    .selectFrom('reminder_targets')
    .select(['group_id', 'phone'])
    .where('workspace_id', '=', scope.workspaceId)
    .where('reminder_id', '=', reminderId)
    .orderBy('position')
    .execute();
  return rows.map(row => (row.group_id !== null ? { group_id: row.group_id } : { phone: row.phone ?? '' }));
}

async function writeTargets(tx: Tx, scope: Scope, reminderId: string, targets: Targets): Promise<void> {
  await tx
    .insertInto('reminder_targets')
    .values(
      targets.map((target, position) => ({
        workspace_id: scope.workspaceId,
        id: newId(),
        reminder_id: reminderId,
        position,
        group_id: 'group_id' in target ? target.group_id : null,
        phone: 'phone' in target ? target.phone : null,
      })),
    )
    .execute();
}

function scheduleColumns(schedule: ParsedSchedule): {
  start_local: string;
  time_zone: string;
  rrule: string | null;
} {
  return { start_local: schedule.start_local, time_zone: schedule.time_zone, rrule: schedule.rrule };
}

function instantOf(text: string | null | undefined): Date | null {
  return text ? new Date(text) : null;
}

function iso(occurrence: Occurrence | null): string | null {
  return occurrence?.at.toISOString() ?? null;
}
