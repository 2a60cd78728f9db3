import { record, type Scope, type Tx } from '../kernel/index.ts';

/** The facts that this room records; also what webhooks may be asked for. */
export type ReminderFacts = {
  'reminder.created': { next_at: string | null };
  'reminder.changed': { fields: string[]; next_at: string | null };
  'reminder.paused': { cancelled: number };
  'reminder.resumed': { next_at: string | null };
  'reminder.removed': { cancelled: number };
  'reminder.fired': { occurrence_id: string; due_at: string; messages: number };
  'reminder.missed': { due_at: string; count: number };
  'reminder.ended': Record<string, never>;
};

/** Records a fact about a reminder in the caller's transaction. */
export function recordReminder<T extends keyof ReminderFacts>(
  tx: Tx,
  scope: Scope,
  type: T,
  reminderId: string,
  payload: ReminderFacts[T],
): Promise<void> {
  return record(tx, scope, { type, subject: { type: 'reminder', id: reminderId }, payload });
}
