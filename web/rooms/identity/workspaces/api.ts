import { queryOptions } from '@tanstack/react-query';
import type { Me } from '../../../../src/identity/schema.ts';
import type {
  Invitation,
  InvitationView,
  Member,
  Workspace as WorkspaceFacts,
} from '../../../../src/identity/workspaces/schema.ts';
import { type Api, request } from '../../../kit/api.ts';
import type { Workspace } from '../../../kit/workspace.tsx';
import type { Completion } from '../people/api.ts';

export type { Invitation, InvitationView, Member, WorkspaceFacts };
export type Role = Member['role'];

type Place = Pick<Workspace, 'slug' | 'api'>;

export function membersQuery({ slug, api }: Place) {
  return queryOptions({
    queryKey: [slug, 'members', 'list'],
    queryFn: async ({ signal }) => (await api.get<{ data: Member[] }>('/v1/members', {}, signal)).data,
  });
}

export function invitationsQuery({ slug, api }: Place) {
  return queryOptions({
    queryKey: [slug, 'members', 'invitations'],
    queryFn: async ({ signal }) =>
      (await api.get<{ data: Invitation[] }>('/v1/invitations', {}, signal)).data,
  });
}

export function workspaceQuery({ slug, api }: Place) {
  return queryOptions({
    queryKey: [slug, 'workspace'],
    queryFn: ({ signal }) => api.get<WorkspaceFacts>('/v1/workspace', {}, signal),
  });
}

export function changeRole(api: Api, userId: string, role: Role): Promise<void> {
  return api.patch(`/v1/members/${userId}`, { role });
}

export function removeMember(api: Api, userId: string): Promise<void> {
  return api.remove(`/v1/members/${userId}`);
}

export function leaveWorkspace(api: Api): Promise<void> {
  return api.post('/v1/workspace/leave');
}

/** With an address the link goes there alone; without one the answer has it, once. */
export function invite(api: Api, role: Role, email?: string): Promise<Invitation & { link: string | null }> {
  return api.post('/v1/invitations', { role, ...(email ? { email } : {}) });
}

export function revokeInvitation(api: Api, id: string): Promise<void> {
  return api.remove(`/v1/invitations/${id}`);
}

export function changeWorkspace(api: Api, change: { name?: string; slug?: string }): Promise<WorkspaceFacts> {
  return api.patch('/v1/workspace', change);
}

export function deleteWorkspace(api: Api, slug: string): Promise<WorkspaceFacts> {
  return api.post('/v1/workspace/deletion', { slug });
}

export function keepWorkspace(slug: string): Promise<WorkspaceFacts> {
  return request('DELETE', '/v1/workspace/deletion', { workspace: slug });
}

/** The person who is signed in becomes the owner. */
export function foundWorkspace(name: string): Promise<Me> {
  return request('POST', '/v1/workspaces', { body: { name } });
}

export function invitationQuery(token: string) {
  return queryOptions({
    queryKey: ['invitation', token],
    queryFn: () => request<InvitationView>('POST', '/v1/invitations/look', { body: { token } }),
    retry: false,
  });
}

export function acceptInvitation(token: string): Promise<Me> {
  return request('POST', '/v1/invitations/accept', { body: { token } });
}

export function joinByInvitation(joining: Completion): Promise<Me> {
  return request('POST', '/v1/invitations/join', { body: joining });
}
