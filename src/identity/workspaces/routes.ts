import { IdParams, type Kernel, type Routes } from '../../kernel/index.ts';
import { visitorOf, welcome } from '../entry.ts';
import { loginOf } from '../logins/gate.ts';
import { me } from '../queries.ts';
import { Me } from '../schema.ts';
import * as invitations from './invitations.ts';
import * as members from './members.ts';
import {
  InvitationList,
  InvitationToken,
  InvitationView,
  InvitationWithLink,
  Joining,
  MemberList,
  NewInvitation,
  NewWorkspace,
  RoleChange,
  Workspace,
  WorkspaceChange,
  WorkspaceDeletion,
} from './schema.ts';
import * as workspaces from './workspaces.ts';

const tag = 'workspaces';

export function registerWorkspaceRoutes(
  routes: Routes,
  kernel: Kernel,
  closing: workspaces.WorkspaceClosing,
): void {
  addWorkspaceRoutes(routes, kernel, closing);
  addMemberRoutes(routes);
  addInvitationRoutes(routes, kernel);
}

function addWorkspaceRoutes(routes: Routes, kernel: Kernel, closing: workspaces.WorkspaceClosing): void {
  routes.open({
    method: 'POST',
    url: '/v1/workspaces',
    permission: 'login',
    summary: 'Make a workspace of which one is the owner',
    tag,
    body: NewWorkspace,
    answers: { 201: Me },
    handler: async ({ body, request }) => {
      const user = loginOf(request).userId;
      await workspaces.foundWorkspace(kernel, { userId: user, address: request.ip }, body);
      return { status: 201, body: await me(kernel, user) };
    },
  });
  routes.workspace({
    method: 'GET',
    url: '/v1/workspace',
    permission: 'workspace.read',
    summary: 'The workspace that the request acts in',
    tag,
    answers: { 200: Workspace },
    handler: async ({ scope }) => ({ body: await workspaces.readWorkspace(scope) }),
  });
  routes.workspace({
    method: 'PATCH',
    url: '/v1/workspace',
    permission: 'workspace.manage',
    summary: 'Rename the workspace; links with its old short name stop working',
    tag,
    body: WorkspaceChange,
    answers: { 200: Workspace },
    handler: async ({ scope, body }) => {
      await workspaces.changeWorkspace(scope, body);
      return { body: await workspaces.readWorkspace(scope) };
    },
  });
  routes.workspace({
    method: 'POST',
    url: '/v1/workspace/deletion',
    permission: 'workspace.delete',
    summary: 'Close the workspace at once and delete it in 14 days; until then it can be kept',
    tag,
    body: WorkspaceDeletion,
    answers: { 200: Workspace },
    handler: async ({ scope, body }) => {
      await workspaces.closeFirst(scope, body.slug, closing);
      await workspaces.deleteWorkspace(scope, body.slug);
      return { body: await workspaces.readWorkspace(scope) };
    },
  });
  routes.workspace({
    method: 'DELETE',
    url: '/v1/workspace/deletion',
    permission: 'workspace.delete',
    summary: 'Keep a workspace that was to be deleted; sending stays parked until somebody arms it',
    tag,
    answers: { 200: Workspace },
    handler: async ({ scope }) => {
      await workspaces.keepWorkspace(scope);
      return { body: await workspaces.readWorkspace(scope) };
    },
  });
}

function addMemberRoutes(routes: Routes): void {
  routes.workspace({
    method: 'GET',
    url: '/v1/members',
    permission: 'members.read',
    summary: 'List the members, by name',
    tag,
    answers: { 200: MemberList },
    handler: async ({ scope }) => ({ body: { data: await members.listMembers(scope) } }),
  });
  routes.workspace({
    method: 'PATCH',
    url: '/v1/members/:id',
    permission: 'members.manage',
    summary: 'Give a member, named by the id of the user, another role',
    tag,
    params: IdParams,
    body: RoleChange,
    answers: { 204: null },
    handler: async ({ scope, params, body }) => {
      await members.changeRole(scope, params.id, body.role);
      return { status: 204 };
    },
  });
  routes.workspace({
    method: 'DELETE',
    url: '/v1/members/:id',
    permission: 'members.manage',
    summary: 'End a membership, named by the id of the user',
    tag,
    params: IdParams,
    answers: { 204: null },
    handler: async ({ scope, params }) => {
      await members.removeMember(scope, params.id);
      return { status: 204 };
    },
  });
  routes.workspace({
    method: 'POST',
    url: '/v1/workspace/leave',
    permission: 'workspace.read',
    summary: 'End the own membership; the last owner cannot',
    tag,
    answers: { 204: null },
    handler: async ({ scope }) => {
      await members.leave(scope);
      return { status: 204 };
    },
  });
}

function addInvitationRoutes(routes: Routes, kernel: Kernel): void {
  routes.workspace({
    method: 'GET',
    url: '/v1/invitations',
    permission: 'members.manage',
    summary: 'List invitations, newest first',
    tag,
    answers: { 200: InvitationList },
    handler: async ({ scope }) => ({ body: { data: await invitations.listInvitations(scope) } }),
  });
  routes.workspace({
    method: 'POST',
    url: '/v1/invitations',
    permission: 'members.manage',
    summary: 'Invite somebody by mail, or by the link of the answer; for one person and seven days',
    tag,
    body: NewInvitation,
    answers: { 201: InvitationWithLink },
    handler: async ({ scope, body, request }) => {
      const { token, ...invitation } = await invitations.invite(scope, body);
      const origin = kernel.config.publicUrl ?? `${request.protocol}://${request.host}`;
      const link = token === null ? null : `${origin}/invitation/${token}`;
      return { status: 201, body: { ...invitation, link } };
    },
  });
  routes.workspace({
    method: 'DELETE',
    url: '/v1/invitations/:id',
    permission: 'members.manage',
    summary: 'Take an open invitation back',
    tag,
    params: IdParams,
    answers: { 204: null },
    handler: async ({ scope, params }) => {
      await invitations.revokeInvitation(scope, params.id);
      return { status: 204 };
    },
  });
  routes.open({
    method: 'POST',
    url: '/v1/invitations/look',
    permission: 'public',
    summary: 'What an invitation is to',
    tag,
    body: InvitationToken,
    answers: { 200: InvitationView },
    handler: async ({ body }) => ({ body: await invitations.lookAtInvitation(kernel, body.token) }),
  });
  routes.open({
    method: 'POST',
    url: '/v1/invitations/accept',
    permission: 'login',
    summary: 'Join a workspace as the person who is signed in',
    tag,
    body: InvitationToken,
    answers: { 200: Me },
    handler: async ({ body, request }) => {
      const user = loginOf(request).userId;
      await invitations.acceptInvitation(kernel, { userId: user, address: request.ip }, body.token);
      return { body: await me(kernel, user) };
    },
  });
  routes.open({
    method: 'POST',
    url: '/v1/invitations/join',
    permission: 'public',
    summary: 'Make an account, join with it, and sign in',
    tag,
    body: Joining,
    answers: { 200: Me },
    handler: async ({ request, body }) =>
      welcome(kernel, request, await invitations.joinAsNew(kernel, body, visitorOf(kernel, request))),
  });
}
