import { IdParams, PageQuery, type Routes } from '../kernel/index.ts';
import * as queries from './queries.ts';
import {
  NewReminder,
  Preview,
  PreviewBody,
  Reminder,
  ReminderChange,
  ReminderPage,
  ReminderQuery,
  RunPage,
} from './schema.ts';
import * as service from './service.ts';

const tag = 'reminders';

export function registerReminderRoutes(routes: Routes): void {
  registerCollection(routes);
  registerOne(routes);
  registerSwitches(routes);
}

function registerCollection(routes: Routes): void {
  routes.workspace({
    method: 'GET',
    url: '/v1/reminders',
    summary: 'List reminders, newest first',
    tag,
    permission: 'reminders.read',
    query: ReminderQuery,
    answers: { 200: ReminderPage },
    handler: async ({ scope, query }) => ({ body: await queries.list(scope, query) }),
  });
  routes.workspace({
    method: 'POST',
    url: '/v1/reminders',
    summary: 'Create a reminder',
    tag,
    permission: 'reminders.manage',
    creates: true,
    body: NewReminder,
    answers: { 201: Reminder },
    handler: async ({ scope, body }) => {
      const reminder = await queries.get(scope, await service.create(scope, body));
      return {
        status: 201,
        body: reminder,
        headers: tagged(reminder, { location: `/v1/reminders/${reminder.id}` }),
      };
    },
  });
  routes.workspace({
    method: 'POST',
    url: '/v1/reminders/preview',
    summary: 'Say a schedule in words and show its next five occurrences; stores nothing',
    tag,
    permission: 'reminders.read',
    body: PreviewBody,
    answers: { 200: Preview },
    handler: async ({ scope, body }) => ({ body: queries.preview(scope, body) }),
  });
}

function registerOne(routes: Routes): void {
  const url = '/v1/reminders/:id';
  routes.workspace({
    method: 'GET',
    url,
    summary: 'Read one reminder',
    tag,
    permission: 'reminders.read',
    params: IdParams,
    answers: { 200: Reminder },
    handler: async ({ scope, params }) => answer(await queries.get(scope, params.id)),
  });
  routes.workspace({
    method: 'PATCH',
    url,
    summary: 'Change a reminder; this replaces the pending occurrence',
    tag,
    permission: 'reminders.manage',
    params: IdParams,
    body: ReminderChange,
    answers: { 200: Reminder },
    handler: async ({ scope, params, body, ifMatch }) => {
      await service.change(scope, params.id, body, ifMatch);
      return answer(await queries.get(scope, params.id));
    },
  });
  routes.workspace({
    method: 'DELETE',
    url,
    summary: 'Delete a reminder; what is still queued is cancelled',
    tag,
    permission: 'reminders.manage',
    params: IdParams,
    answers: { 204: null },
    handler: async ({ scope, params, ifMatch }) => {
      await service.remove(scope, params.id, ifMatch);
      return { status: 204 };
    },
  });
  routes.workspace({
    method: 'GET',
    url: `${url}/runs`,
    summary: 'List the runs of a reminder, newest first',
    tag,
    permission: 'reminders.read',
    params: IdParams,
    query: PageQuery,
    answers: { 200: RunPage },
    handler: async ({ scope, params, query }) => ({ body: await queries.runs(scope, params.id, query) }),
  });
}

function registerSwitches(routes: Routes): void {
  const switches = [
    ['pause', 'Pause a reminder; what is still queued is cancelled', service.pause],
    ['resume', 'Resume a reminder with its next occurrence', service.resume],
  ] as const;
  for (const [verb, summary, act] of switches) {
    routes.workspace({
      method: 'POST',
      url: `/v1/reminders/:id/${verb}`,
      summary,
      tag,
      permission: 'reminders.manage',
      params: IdParams,
      answers: { 200: Reminder },
      handler: async ({ scope, params, ifMatch }) => {
        await act(scope, params.id, ifMatch);
        return answer(await queries.get(scope, params.id));
      },
    });
  }
}

function answer(reminder: { version: number }) {
  return { body: reminder, headers: tagged(reminder, {}) };
}

function tagged(reminder: { version: number }, headers: Record<string, string>): Record<string, string> {
  return { ...headers, etag: `"${reminder.version}"` };
}
