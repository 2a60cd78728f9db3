import type { z } from 'zod';
import { channelForSending, groupForSending } from '../channels/index.ts';
import { checkPhone, optedOutAmong, optedOutWords } from '../contacts/index.ts';
import { AppError, type FieldError, invalidField, type Scope, type Tx } from '../kernel/index.ts';
import { checkContent } from '../messages/index.ts';
import { nextOccurrence, type Occurrence, type ParsedSchedule, parseSchedule } from './recurrence.ts';
import type { NewReminder, Schedule } from './schema.ts';

type ScheduleInput = z.output<typeof Schedule>;
type Targets = z.output<typeof NewReminder>['targets'];
type Content = z.output<typeof NewReminder>['content'];

/** The parsed schedule, or a 422 that names the field and the reason. */
export function readSchedule(input: ScheduleInput): ParsedSchedule {
  const parsed = parseSchedule({
    start_local: input.start_local,
    time_zone: input.time_zone,
    rrule: input.rrule ?? null,
  });
  if (parsed.ok) return parsed.schedule;
  throw invalidField(`schedule.${parsed.problem.field}`, parsed.problem.detail);
}

/** The first occurrence after now; 422 when everything lies in the past or after the end date. */
export function firstOccurrence(schedule: ParsedSchedule, endsAt: Date | null, now: Date): Occurrence {
  const next = nextOccurrence(schedule, now);
  if (next === null) {
    throw invalidField('schedule.start_local', 'This moment has passed. Choose a later date or time.');
  }
  if (endsAt !== null && next.at.getTime() > endsAt.getTime()) {
    throw invalidField('ends_at', 'The end date lies before the next occurrence. Choose a later end date.');
  }
  return next;
}

/**
 * Checks that the channel can carry the content to every target. Throws one 422 that names all
 * fields at fault, or 404 `not_found` never: a foreign channel or group is a wrong field here.
 */
export async function checkDestination(
  tx: Tx,
  scope: Scope,
  input: { channelId: string; content: Content; targets: Targets },
): Promise<void> {
  const channel = await channelForSending(tx, scope, input.channelId);
  if (!channel)
    throw invalidField('channel_id', 'There is no such channel in this workspace. Choose another one.');
  checkContent(channel.capabilities, input.content);
  const optedOut = await phonesOptedOut(tx, scope, input.targets);
  const faults: FieldError[] = [];
  const seen = new Set<string>();
  for (const [index, target] of input.targets.entries()) {
    const fault = await targetFault(tx, scope, channel.id, target, optedOut);
    const key = 'group_id' in target ? target.group_id : target.phone;
    if (fault)
      faults.push({ path: `targets.${index}.${'group_id' in target ? 'group_id' : 'phone'}`, detail: fault });
    else if (seen.has(key))
      faults.push({ path: `targets.${index}`, detail: 'This recipient is in the list twice.' });
    seen.add(key);
  }
  if (faults.length > 0) {
    throw new AppError('validation_failed', faults[0]?.detail ?? 'Some recipients cannot be used.', {
      fields: faults,
    });
  }
}

async function phonesOptedOut(tx: Tx, scope: Scope, targets: Targets): Promise<Set<string>> {
  const { workspaceId } = scope;
  const people = targets.flatMap(target => ('phone' in target ? [{ workspaceId, phone: target.phone }] : []));
  return new Set([...(await optedOutAmong(tx, people))].map(({ phone }) => phone));
}

async function targetFault(
  tx: Tx,
  scope: Scope,
  channelId: string,
  target: Targets[number],
  optedOut: ReadonlySet<string>,
): Promise<string | undefined> {
  if ('phone' in target)
    return checkPhone(target.phone) ?? (optedOut.has(target.phone) ? optedOutWords : undefined);
  const group = await groupForSending(tx, scope, target.group_id);
  if (!group || group.channelId !== channelId)
    return 'There is no such group on this channel. Choose another one.';
  if (group.archivedAt)
    return `The channel is no longer in the group "${group.subject}". Choose another one.`;
  return undefined;
}
