import { z } from 'zod';
import { Content, Id, Instant, PageQuery, pageOf, Target } from '../kernel/index.ts';

export const Schedule = z.strictObject({
  start_local: z.string().max(30).describe('Wall clock of the first occurrence, `2026-11-24T08:00`'),
  time_zone: z.string().max(60).describe('IANA zone, `Europe/Berlin`'),
  rrule: z.string().max(500).nullish().describe('RFC 5545 rule, `FREQ=WEEKLY;BYDAY=MO`; left out = once'),
});

const Targets = z
  .array(Target)
  .min(1, 'Choose at least one recipient.')
  .max(100, 'Choose at most 100 recipients.');
const CatchUp = z.number().int().min(60_000).max(86_400_000).describe('How late it may still go out, in ms');

export const NewReminder = z.strictObject({
  channel_id: Id,
  content: Content,
  schedule: Schedule,
  ends_at: Instant.nullish().describe('No occurrence after this instant'),
  catch_up_ms: CatchUp.optional(),
  targets: Targets,
});

export const ReminderChange = z.strictObject({
  content: Content.optional(),
  schedule: Schedule.optional(),
  ends_at: Instant.nullish(),
  catch_up_ms: CatchUp.optional(),
  targets: Targets.optional(),
});

export const ReminderStatus = z.enum(['active', 'paused', 'ended']);

const Upcoming = z.object({
  local: z.string().describe('Wall clock in the zone of the reminder'),
  at: Instant,
  shifted: z.boolean().describe('That wall clock does not exist on that day; it fires later by the gap'),
});

const TargetView = z.object({
  group_id: Id.nullable(),
  phone: z.string().nullable(),
  name: z.string().nullable(),
  archived: z.boolean().describe('The group is gone; nothing is sent to it'),
});

export const Reminder = z.object({
  id: Id,
  channel_id: Id,
  channel_label: z.string(),
  content: Content,
  schedule: z.object({ start_local: z.string(), time_zone: z.string(), rrule: z.string().nullable() }),
  summary: z.string().describe('The schedule in plain words'),
  ends_at: Instant.nullable(),
  catch_up_ms: z.number().int(),
  status: ReminderStatus,
  next: Upcoming.nullable(),
  targets: z.array(TargetView),
  last_run_at: Instant.nullable(),
  version: z.number().int(),
  created_at: Instant,
  updated_at: Instant,
});
export type Reminder = z.output<typeof Reminder>;
export const ReminderPage = pageOf(Reminder);
export const ReminderQuery = PageQuery.extend({
  status: ReminderStatus.optional(),
  channel_id: Id.optional(),
});

/** One occurrence that was processed, with what became of each target. */
export const Run = z.object({
  id: Id,
  local: z.string(),
  due_at: Instant,
  status: z.enum(['pending', 'expanded', 'missed', 'cancelled']),
  reason: z.string().nullable(),
  outcomes: z.object({
    waiting: z.number().int(),
    under_way: z.number().int(),
    delivered: z.number().int(),
    needs_you: z.number().int(),
    stopped: z.number().int(),
  }),
  targets: z.array(
    z.object({
      group_id: Id.nullable(),
      phone: z.string().nullable(),
      name: z.string().nullable(),
      message_id: Id,
      status: z.string(),
      reason: z.string().nullable().describe('Why it has come to this status, where there is more to say'),
    }),
  ),
});
export type Run = z.output<typeof Run>;
export const RunPage = pageOf(Run);

export const PreviewBody = z.strictObject({ schedule: Schedule, ends_at: Instant.nullish() });
export const Preview = z.object({ summary: z.string(), next: z.array(Upcoming).describe('The next five') });
export type Preview = z.output<typeof Preview>;
