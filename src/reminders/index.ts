/**
 * reminders – the plan that calls people together.
 * Owns: reminders, their targets, occurrences and runs, recurrence.
 * Promises: each instant of a reminder exists once; it becomes deliveries a minute ahead, one per
 *   target; edit and pause take back all that has not left; what an outage swallowed is missed, never a burst.
 * Never: touches the wire, reads credentials, invents an instant that the rule does not have.
 * Called by: main (routes and runner).
 */
export { registerReminderRoutes } from './routes.ts';
export { createReminders } from './runner.ts';
export { endRemindersOf } from './service.ts';
