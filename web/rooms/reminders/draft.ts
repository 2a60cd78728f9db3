import type { Reminder } from '../../../src/reminders/schema.ts';
import { wallAt } from '../../kit/time.ts';
import { type End, type Repeat, readRule, ruleOf } from './repeat.ts';

export type DraftTarget =
  | { kind: 'group'; group_id: string; channel_id: string; name: string }
  | { kind: 'phone'; phone: string };

/** A reminder as far as it is thought out. */
export type Draft = {
  /** Also the idempotency key of its Save, so that it becomes one reminder however often it is saved. */
  id: string;
  channelId: string | null;
  body: string;
  mode: 'at' | 'soon';
  date: string;
  time: string;
  zone: string;
  repeat: Repeat;
  end: End;
  targets: DraftTarget[];
  /** The start that a Save of "in one minute" has sent; a repeated Save sends the same. */
  soonAt: string | null;
  changedAt: number;
};

export const steps = ['channel', 'message', 'when', 'who', 'review'] as const;
export type Step = (typeof steps)[number];

export type Schedule = { start_local: string; time_zone: string; rrule: string | null };
type Target = { group_id: string } | { phone: string };
type Content = { type: 'text'; text: { body: string } };
export type NewReminderBody = { channel_id: string; content: Content; schedule: Schedule; targets: Target[] };
export type ReminderChanges = Partial<Omit<NewReminderBody, 'channel_id'>>;

const SOON_MS = 60_000;

/** An empty draft for the next full hour. */
export function newDraft(id: string, now: number, zone: string): Draft {
  const start = wallAt(now + 3_600_000, zone);
  return {
    id,
    channelId: null,
    body: '',
    mode: 'at',
    date: start.slice(0, 10),
    time: `${start.slice(11, 13)}:00`,
    zone,
    repeat: { kind: 'once' },
    end: { kind: 'never' },
    targets: [],
    soonAt: null,
    changedAt: now,
  };
}

/** The draft that an edit of the reminder begins with. */
export function draftOf(reminder: Reminder, now: number): Draft {
  const { start_local: start, time_zone: zone, rrule } = reminder.schedule;
  const date = start.slice(0, 10);
  return {
    id: reminder.id,
    channelId: reminder.channel_id,
    body: reminder.content.text.body,
    mode: 'at',
    date,
    time: start.slice(11).replace(/^(\d\d:\d\d):00$/, '$1'),
    zone,
    ...readRule(rrule, date),
    targets: reminder.targets.flatMap(target => draftTarget(target, reminder.channel_id)),
    soonAt: null,
    changedAt: now,
  };
}

/** What the draft means as a schedule; undefined while it is "one minute after saving". */
export function scheduleOf(draft: Draft): Schedule | undefined {
  if (draft.mode === 'soon') {
    return draft.soonAt === null
      ? undefined
      : { start_local: draft.soonAt, time_zone: draft.zone, rrule: null };
  }
  return {
    start_local: `${draft.date}T${draft.time}`,
    time_zone: draft.zone,
    rrule: ruleOf(draft.repeat, draft.date, draft.end),
  };
}

/** Settles "in one minute" at the moment of saving; settled once, it stays. */
export function settled(draft: Draft, now: number): Draft {
  if (draft.mode !== 'soon' || draft.soonAt !== null) return draft;
  return { ...draft, soonAt: wallAt(now + SOON_MS, draft.zone) };
}

/** Groups of another channel stay in the draft, for the way back, but are nobody's recipients. */
export function targetsOn(draft: Draft, channelId: string | null): DraftTarget[] {
  return draft.targets.filter(target => target.kind === 'phone' || target.channel_id === channelId);
}

export function bodyOf(draft: Draft, channelId: string): NewReminderBody {
  const schedule = scheduleOf(draft);
  if (schedule === undefined) throw new Error('Settle the draft before saving it.');
  return {
    channel_id: channelId,
    content: contentOf(draft),
    schedule,
    targets: targetsOn(draft, channelId).map(target),
  };
}

/** Only what differs from the reminder as it was when the edit began. */
export function changesOf(draft: Draft, reminder: Reminder): ReminderChanges {
  const before = bodyOf(draftOf(reminder, 0), reminder.channel_id);
  const after = bodyOf(draft, reminder.channel_id);
  const changes: ReminderChanges = {};
  if (!same(before.content, after.content)) changes.content = after.content;
  if (!same(before.schedule, after.schedule)) changes.schedule = after.schedule;
  if (!same(before.targets, after.targets)) changes.targets = after.targets;
  return changes;
}

/** What the step still lacks, in words; undefined = complete. */
export function lackOf(
  draft: Draft,
  step: Step,
  place: { channelId: string | null; textLimit: number; now: number },
): string | undefined {
  switch (step) {
    case 'channel':
      return place.channelId === null ? 'Choose the channel to send from.' : undefined;
    case 'message':
      return lackOfMessage(draft, place.textLimit);
    case 'when':
      return lackOfMoment(draft, place.now);
    case 'who':
      return targetsOn(draft, place.channelId).length === 0
        ? 'Choose at least one group or add a phone number.'
        : undefined;
    case 'review':
      return undefined;
  }
}

/** As a reader counts. */
export function lengthOf(text: string): number {
  return Array.from(text.trim()).length;
}

function lackOfMessage(draft: Draft, limit: number): string | undefined {
  const length = lengthOf(draft.body);
  if (length === 0) return 'Write the message.';
  return length > limit
    ? `This is ${length - limit} characters too long for the channel. Shorten it.`
    : undefined;
}

function lackOfMoment(draft: Draft, now: number): string | undefined {
  if (draft.mode === 'soon') return undefined;
  if (!/^\d{4}-\d\d-\d\d$/.test(draft.date)) return 'Choose a date.';
  if (!/^\d\d:\d\d(:\d\d)?$/.test(draft.time)) return 'Choose a time.';
  const { repeat, end } = draft;
  if (repeat.kind === 'custom' && !(repeat.every >= 1))
    return 'Say after how many days, weeks, months or years it comes again.';
  if (repeat.kind !== 'once' && end.kind === 'on' && end.date < draft.date)
    return 'The last day lies before the start. Choose a later one.';
  if (repeat.kind !== 'once' && end.kind === 'after' && !(end.count >= 1))
    return 'Say after how many times it ends.';
  const passed =
    repeat.kind === 'once' &&
    `${draft.date}T${draft.time}` <= wallAt(now, draft.zone).slice(0, 11 + draft.time.length);
  return passed ? 'This moment has passed. Choose a later date or time.' : undefined;
}

function draftTarget(given: Reminder['targets'][number], channelId: string): DraftTarget[] {
  if (given.group_id !== null) {
    return [{ kind: 'group', group_id: given.group_id, channel_id: channelId, name: given.name ?? 'Group' }];
  }
  return given.phone === null ? [] : [{ kind: 'phone', phone: given.phone }];
}

function target(chosen: DraftTarget): Target {
  return chosen.kind === 'group' ? { group_id: chosen.group_id } : { phone: chosen.phone };
}

function contentOf(draft: Draft): Content {
  return { type: 'text', text: { body: draft.body.trim() } };
}

function same(one: unknown, other: unknown): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}
