import type { FastifyRequest } from 'fastify';
import {
  type Author,
  activityLog,
  IdParams,
  INSTANCE,
  type Kernel,
  mintScope,
  type Routes,
  type Scope,
} from '../../kernel/index.ts';
import { actorNames } from '../actor-names.ts';
import type { WorkspaceClosing } from '../workspaces/workspaces.ts';
import * as schema from './schema.ts';
import * as settings from './settings.ts';
import * as users from './users.ts';
import * as workspaces from './workspaces.ts';

const common = { permission: 'admin', tag: 'admin' } as const;

/** The console of the installation. For everybody but its admins none of these addresses is there. */
export function registerAdminRoutes(routes: Routes, kernel: Kernel, closing: WorkspaceClosing): void {
  addUserRoutes(routes, kernel);
  addWorkspaceRoutes(routes, kernel, closing);
  addSettingsRoutes(routes, kernel);
  addActivityRoutes(routes, kernel);
}

function addUserRoutes(routes: Routes, kernel: Kernel): void {
  routes.open({
    ...common,
    method: 'GET',
    url: '/v1/admin/users',
    summary: 'List the users of the installation, newest first',
    query: schema.UserQuery,
    answers: { 200: schema.AdminUserPage },
    handler: async ({ query }) => ({ body: await users.listUsers(kernel, query) }),
  });
  routes.open({
    ...common,
    method: 'POST',
    url: '/v1/admin/users',
    summary: 'Add a user, who chooses a password at the link in the answer',
    body: schema.NewAdminUser,
    answers: { 201: schema.NewUserAnswer },
    handler: async ({ request, userId, body }) => ({
      status: 201,
      body: await users.addUser(kernel, authorOf(request, userId), body),
    }),
  });
  routes.open({
    ...common,
    method: 'PATCH',
    url: '/v1/admin/users/:id',
    summary: 'Make a user an admin or not, lock or unlock; the last admin stays one',
    params: IdParams,
    body: schema.UserChange,
    answers: { 200: schema.AdminUser },
    handler: async ({ request, userId, params, body }) => ({
      body: await users.changeUser(kernel, authorOf(request, userId), params.id, body),
    }),
  });
  routes.open({
    ...common,
    method: 'POST',
    url: '/v1/admin/users/:id/link',
    summary: 'A link at which the user chooses a new password',
    params: IdParams,
    answers: { 201: schema.UserLink },
    handler: async ({ request, userId, params }) => ({
      status: 201,
      body: await users.makeLink(kernel, authorOf(request, userId), params.id),
    }),
  });
  routes.open({
    ...common,
    method: 'POST',
    url: '/v1/admin/users/:id/mail',
    summary: 'Mail the user a link at which to choose a new password',
    params: IdParams,
    answers: { 204: null },
    handler: async ({ request, userId, params }) => {
      await users.mailLink(kernel, authorOf(request, userId), params.id);
      return {};
    },
  });
  routes.open({
    ...common,
    method: 'POST',
    url: '/v1/admin/users/:id/logout',
    summary: 'Sign the user out everywhere',
    params: IdParams,
    answers: { 204: null },
    handler: async ({ request, userId, params }) => {
      await users.endLoginsOf(kernel, authorOf(request, userId), params.id);
      return {};
    },
  });
  routes.open({
    ...common,
    method: 'DELETE',
    url: '/v1/admin/users/:id',
    summary: 'Delete a user for good; the name is typed once more',
    params: IdParams,
    body: schema.UserDeletion,
    answers: { 204: null },
    handler: async ({ request, userId, params, body }) => {
      await users.deleteUser(kernel, authorOf(request, userId), params.id, body.confirm);
      return {};
    },
  });
}

function addWorkspaceRoutes(routes: Routes, kernel: Kernel, closing: WorkspaceClosing): void {
  routes.open({
    ...common,
    method: 'GET',
    url: '/v1/admin/workspaces',
    summary: 'List the workspaces of the installation, newest first',
    query: schema.WorkspaceQuery,
    answers: { 200: schema.AdminWorkspacePage },
    handler: async ({ query }) => ({ body: await workspaces.listWorkspaces(kernel, query) }),
  });
  routes.open({
    ...common,
    method: 'POST',
    url: '/v1/admin/workspaces/:id/deletion',
    summary: 'Close a workspace at once and delete it in 14 days; until then it can be kept',
    params: IdParams,
    body: schema.WorkspaceClosure,
    answers: { 200: schema.AdminWorkspace },
    handler: async ({ request, userId, params, body }) => ({
      body: await workspaces.closeWorkspace(
        kernel,
        authorOf(request, userId),
        { ...params, ...body },
        closing,
      ),
    }),
  });
  routes.open({
    ...common,
    method: 'DELETE',
    url: '/v1/admin/workspaces/:id/deletion',
    summary: 'Keep a workspace that was to be deleted',
    params: IdParams,
    answers: { 200: schema.AdminWorkspace },
    handler: async ({ request, userId, params }) => ({
      body: await workspaces.reopenWorkspace(kernel, authorOf(request, userId), params.id),
    }),
  });
}

function addSettingsRoutes(routes: Routes, kernel: Kernel): void {
  routes.open({
    ...common,
    method: 'GET',
    url: '/v1/admin/settings',
    summary: 'What is decided for the whole installation',
    answers: { 200: schema.Settings },
    handler: async () => ({ body: await settings.readSettings(kernel) }),
  });
  routes.open({
    ...common,
    method: 'PATCH',
    url: '/v1/admin/settings',
    summary: 'Decide who may sign up, and what people agree to',
    body: schema.SettingsChange,
    answers: { 200: schema.Settings },
    handler: async ({ request, userId, body }) => ({
      body: await settings.changeSettings(kernel, authorOf(request, userId), body),
    }),
  });
  routes.open({
    ...common,
    method: 'POST',
    url: '/v1/admin/maintenance',
    summary: 'Begin maintenance: what would change something is answered 503 with the note',
    body: schema.MaintenanceBegin,
    answers: { 200: schema.Settings },
    handler: async ({ request, userId, body }) => ({
      body: await settings.beginMaintenance(kernel, authorOf(request, userId), body.note),
    }),
  });
  routes.open({
    ...common,
    method: 'DELETE',
    url: '/v1/admin/maintenance',
    summary: 'End maintenance',
    answers: { 200: schema.Settings },
    handler: async ({ request, userId }) => ({
      body: await settings.endMaintenance(kernel, authorOf(request, userId)),
    }),
  });
  routes.open({
    ...common,
    method: 'POST',
    url: '/v1/admin/logout',
    summary: 'End every login and API key of everybody at once, also one’s own',
    answers: { 204: null },
    handler: async ({ request, userId }) => {
      await settings.endAllLogins(kernel, authorOf(request, userId));
      return {};
    },
  });
}

function addActivityRoutes(routes: Routes, kernel: Kernel): void {
  routes.open({
    ...common,
    method: 'GET',
    url: '/v1/admin/activity',
    summary: 'List what happened to the installation, newest first',
    query: activityLog.Query,
    answers: { 200: activityLog.Page },
    handler: async ({ request, userId, query }) => ({
      body: await activityLog.page(installation(kernel, request, userId), query, actorNames),
    }),
  });
  routes.open({
    ...common,
    method: 'GET',
    url: '/v1/admin/activity/export.csv',
    summary: 'All that happened to the installation, newest first, as a CSV file',
    query: activityLog.Filter,
    answers: { 200: activityLog.File },
    handler: async ({ request, userId, query }) =>
      activityLog.csv(installation(kernel, request, userId), query, actorNames, request.method === 'HEAD'),
  });
}

function authorOf(request: FastifyRequest, userId: string | undefined): Author {
  if (userId === undefined) throw new Error('The gate let a request in without a user.');
  return { actor: { kind: 'user', id: userId }, address: request.ip };
}

/** Where the facts of the installation stand; only the door of the console leads there. */
function installation(kernel: Kernel, request: FastifyRequest, userId: string | undefined): Scope {
  const { actor, address } = authorOf(request, userId);
  return mintScope(kernel, INSTANCE, actor, { address, may: () => true });
}
