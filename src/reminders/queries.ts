import { sql } from 'kysely';
import type { z } from 'zod';
import { inWorkspace, notFound, pageCursor, readCursor, type Scope, type Tx } from '../kernel/index.ts';
import { outcomeOf } from '../messages/index.ts';
import { parseSchedule, previewOccurrences } from './recurrence.ts';
import type { Preview, Reminder, ReminderQuery, Run, Schedule } from './schema.ts';
import { describeSchedule } from './summary.ts';
import { readSchedule } from './validate.ts';

const PREVIEWED = 5;

export type Page<T> = { data: T[]; page: { next_cursor: string | null } };

/** Newest first. */
export function list(scope: Scope, query: z.output<typeof ReminderQuery>): Promise<Page<Reminder>> {
  return inWorkspace(scope, async tx => {
    const before = readCursor(query.cursor);
    let rows = tx
      .selectFrom('reminders')
      .select('id')
      .where('workspace_id', '=', scope.workspaceId)
      .where('status', '<>', 'deleted')
      .orderBy('id', 'desc')
      .limit(query.limit + 1);
    if (query.status) rows = rows.where('status', '=', query.status);
    if (query.channel_id) rows = rows.where('channel_id', '=', query.channel_id);
    if (before) rows = rows.where('id', '<', before);
    const ids = (await rows.execute()).map(row => row.id);
    const shown = ids.slice(0, query.limit);
    const last = shown.at(-1);
    const data = await read(tx, scope, shown);
    return { data, page: { next_cursor: ids.length > query.limit && last ? pageCursor(last) : null } };
  });
}

export function get(scope: Scope, id: string): Promise<Reminder> {
  return inWorkspace(scope, async tx => {
    const [reminder] = await read(tx, scope, [id]);
    if (!reminder) throw notFound();
    return reminder;
  });
}

/** What was processed, newest first, with what became of each target. */
export function runs(
  scope: Scope,
  reminderId: string,
  query: { limit: number; cursor?: string | undefined },
): Promise<Page<Run>> {
  return inWorkspace(scope, async tx => {
    const [known] = await read(tx, scope, [reminderId]);
    if (!known) throw notFound();
    const before = readCursor(query.cursor);
    let select = tx
      .selectFrom('reminder_occurrences')
      .selectAll()
      .where('workspace_id', '=', scope.workspaceId)
      .where('reminder_id', '=', reminderId)
      .where(eb => eb.or([eb('status', 'in', ['expanded', 'missed']), eb('expanded_at', 'is not', null)]))
      .orderBy('id', 'desc')
      .limit(query.limit + 1);
    if (before) select = select.where('id', '<', before);
    const rows = await select.execute();
    const shown = rows.slice(0, query.limit);
    const targets = await runTargets(
      tx,
      scope,
      shown.map(row => row.id),
    );
    const last = shown.at(-1);
    return {
      data: shown.map(row => runView(row, targets.get(row.id) ?? [])),
      page: { next_cursor: rows.length > query.limit && last ? pageCursor(last.id) : null },
    };
  });
}

/** The schedule in words and its next five instants; 422 names what is wrong with it. */
export function preview(
  scope: Scope,
  input: { schedule: z.output<typeof Schedule>; ends_at?: string | null | undefined },
): Preview {
  const schedule = readSchedule(input.schedule);
  const endsAt = input.ends_at ? Date.parse(input.ends_at) : Number.POSITIVE_INFINITY;
  const next = previewOccurrences(schedule, scope.kernel.clock.now(), PREVIEWED).filter(
    occurrence => occurrence.at.getTime() <= endsAt,
  );
  return {
    summary: describeSchedule(schedule),
    next: next.map(({ local, at, shifted }) => ({ local, at: at.toISOString(), shifted })),
  };
}

type TargetRow = { group_id: string | null; phone: string | null; name: string | null; archived: boolean };
type Coming = { reminder_id: string; local: string; due_at: Date; shifted: boolean };

async function read(tx: Tx, scope: Scope, ids: string[]): Promise<Reminder[]> {
  if (ids.length === 0) return [];
  const rows = await tx
    .selectFrom('reminders as r')
    .innerJoin('channels as c', join =>
      join.onRef('c.workspace_id', '=', 'r.workspace_id').onRef('c.id', '=', 'r.channel_id'),
    )
    .selectAll('r')
    .select('c.label as channel_label')
    .where('r.workspace_id', '=', scope.workspaceId)
    .where('r.status', '<>', 'deleted')
    .where('r.id', 'in', ids)
    .orderBy('r.id', 'desc')
    .execute();
  const [targets, coming, last] = [
    await targetsOf(tx, scope, ids),
    await comingOf(tx, scope, ids),
    await lastRuns(tx, scope, ids),
  ];
  return rows.map(row => ({
    id: row.id,
    channel_id: row.channel_id,
    channel_label: row.channel_label,
    content: row.content as Reminder['content'],
    schedule: { start_local: row.start_local, time_zone: row.time_zone, rrule: row.rrule },
    summary: summaryOf(row),
    ends_at: row.ends_at?.toISOString() ?? null,
    catch_up_ms: row.catch_up_ms,
    status: row.status as Reminder['status'],
    next: upcoming(coming.get(row.id)),
    targets: targets.get(row.id) ?? [],
    last_run_at: last.get(row.id)?.toISOString() ?? null,
    version: row.version,
    created_at: row.created_at.toISOString(),
    updated_at: row.updated_at.toISOString(),
  }));
}

function summaryOf(row: { start_local: string; time_zone: string; rrule: string | null }): string {
  const parsed = parseSchedule(row);
  return parsed.ok ? describeSchedule(parsed.schedule) : (row.rrule ?? row.start_local);
}

function upcoming(row: Coming | undefined): Reminder['next'] {
  return row ? { local: row.local, at: row.due_at.toISOString(), shifted: row.shifted } : null;
}

async function targetsOf(tx: Tx, scope: Scope, ids: string[]): Promise<Map<string, TargetRow[]>> {
  const rows = await tx
    .selectFrom('reminder_targets as t')
    .leftJoin('groups as g', join =>
      join.onRef('g.workspace_id', '=', 't.workspace_id').onRef('g.id', '=', 't.group_id'),
    )
    .select(['t.reminder_id', 't.group_id', 't.phone', 'g.subject', 'g.archived_at'])
    .where('t.workspace_id', '=', scope.workspaceId)
    .where('t.reminder_id', 'in', ids)
    .orderBy('t.reminder_id')
    .orderBy('t.position')
    .execute();
  const targets = new Map<string, TargetRow[]>();
  for (const row of rows) {
    const known = targets.get(row.reminder_id) ?? [];
    known.push({
      group_id: row.group_id,
      phone: row.phone,
      name: row.subject,
      archived: row.archived_at !== null,
    });
    targets.set(row.reminder_id, known);
  }
  return targets;
}

/** An occurrence that is already expanded but not yet due still comes next. */
async function comingOf(tx: Tx, scope: Scope, ids: string[]): Promise<Map<string, Coming>> {
  const rows = await tx
    .selectFrom('reminder_occurrences')
    .select(['reminder_id', 'local', 'due_at', 'shifted'])
    .distinctOn('reminder_id')
    .where('workspace_id', '=', scope.workspaceId)
    .where('reminder_id', 'in', ids)
    .where(eb =>
      eb.or([
        eb('status', '=', 'pending'),
        eb.and([eb('status', '=', 'expanded'), eb('due_at', '>', scope.kernel.clock.now())]),
      ]),
    )
    .orderBy('reminder_id')
    .orderBy('due_at')
    .execute();
  return new Map(rows.map(row => [row.reminder_id, row]));
}

async function lastRuns(tx: Tx, scope: Scope, ids: string[]): Promise<Map<string, Date>> {
  const rows = await tx
    .selectFrom('reminder_occurrences')
    .select(['reminder_id', sql<Date>`max(due_at)`.as('at')])
    .where('workspace_id', '=', scope.workspaceId)
    .where('reminder_id', 'in', ids)
    .where('status', '=', 'expanded')
    .where('due_at', '<=', scope.kernel.clock.now())
    .groupBy('reminder_id')
    .execute();
  return new Map(rows.map(row => [row.reminder_id, row.at]));
}

async function runTargets(
  tx: Tx,
  scope: Scope,
  occurrenceIds: string[],
): Promise<Map<string, Run['targets']>> {
  const targets = new Map<string, Run['targets']>();
  if (occurrenceIds.length === 0) return targets;
  const rows = await tx
    .selectFrom('reminder_occurrence_targets as t')
    .innerJoin('deliveries as d', join =>
      join.onRef('d.workspace_id', '=', 't.workspace_id').onRef('d.message_id', '=', 't.message_id'),
    )
    .select([
      't.occurrence_id',
      't.group_id',
      't.phone',
      't.message_id',
      'd.recipient_name as name',
      'd.status',
      'd.reason',
    ])
    .where('t.workspace_id', '=', scope.workspaceId)
    .where('t.occurrence_id', 'in', occurrenceIds)
    .orderBy('t.occurrence_id')
    .orderBy('t.position')
    .execute();
  for (const { occurrence_id, ...target } of rows) {
    const known = targets.get(occurrence_id) ?? [];
    known.push(target);
    targets.set(occurrence_id, known);
  }
  return targets;
}

function runView(
  row: { id: string; local: string; due_at: Date; status: string; reason: string | null },
  targets: Run['targets'],
): Run {
  const outcomes = { waiting: 0, under_way: 0, delivered: 0, needs_you: 0, stopped: 0 };
  for (const target of targets) outcomes[outcomeOf(target)] += 1;
  return {
    id: row.id,
    local: row.local,
    due_at: row.due_at.toISOString(),
    status: row.status as Run['status'],
    reason: row.reason,
    outcomes,
    targets,
  };
}
