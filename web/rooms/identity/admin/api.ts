import { infiniteQueryOptions, queryOptions } from '@tanstack/react-query';
import type { AdminUser, AdminWorkspace, Settings } from '../../../../src/identity/admin/schema.ts';
import { type Page, request } from '../../../kit/api.ts';
import { type AuditFilter, type FactsQuery, factsQuery } from '../audit/api.ts';

export type { AdminUser, AdminWorkspace, Settings };

const ROOT = '/v1/admin';
export const ACTIVITY = `${ROOT}/activity`;

function pagesOf<T>(what: 'users' | 'workspaces', search: string) {
  return infiniteQueryOptions({
    queryKey: ['admin', what, search],
    queryFn: ({ pageParam, signal }) =>
      request<Page<T>>('GET', `${ROOT}/${what}`, {
        query: { limit: 50, cursor: pageParam, search: search === '' ? undefined : search },
        signal,
      }),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: last => last.page.next_cursor ?? undefined,
  });
}

export const usersQuery = (search: string) => pagesOf<AdminUser>('users', search);
export const workspacesQuery = (search: string) => pagesOf<AdminWorkspace>('workspaces', search);

export function activityQuery(filter: AuditFilter): FactsQuery {
  return factsQuery(['admin', 'activity'], filter, (query, signal) =>
    request('GET', ACTIVITY, { query, signal }),
  );
}

export const settingsQuery = queryOptions({
  queryKey: ['admin', 'settings'],
  queryFn: ({ signal }) => request<Settings>('GET', `${ROOT}/settings`, { signal }),
});

type Link = { path: string };

export function addUser(username: string): Promise<{ user: AdminUser; link: Link }> {
  return request('POST', `${ROOT}/users`, { body: { username } });
}

export function makeLink(id: string): Promise<Link> {
  return request('POST', `${ROOT}/users/${id}/link`);
}

export function changeUser(id: string, change: { is_admin?: boolean; locked?: boolean }): Promise<AdminUser> {
  return request('PATCH', `${ROOT}/users/${id}`, { body: change });
}

export function logOutUser(id: string): Promise<void> {
  return request('POST', `${ROOT}/users/${id}/logout`);
}

export function deleteUser(id: string, confirm: string): Promise<void> {
  return request('DELETE', `${ROOT}/users/${id}`, { body: { confirm } });
}

export function closeWorkspace(id: string, slug: string): Promise<AdminWorkspace> {
  return request('POST', `${ROOT}/workspaces/${id}/deletion`, { body: { slug } });
}

export function keepWorkspace(id: string): Promise<AdminWorkspace> {
  return request('DELETE', `${ROOT}/workspaces/${id}/deletion`);
}

export function changeSettings(change: Partial<Pick<Settings, 'sign_up' | 'terms'>>): Promise<Settings> {
  return request('PATCH', `${ROOT}/settings`, { body: change });
}

export function beginMaintenance(note: string): Promise<Settings> {
  return request('POST', `${ROOT}/maintenance`, { body: { note } });
}

export function endMaintenance(): Promise<Settings> {
  return request('DELETE', `${ROOT}/maintenance`);
}

/** Every login and API key of the installation ends, the own one too. */
export function endEverything(): Promise<void> {
  return request('POST', `${ROOT}/logout`);
}

export function userName(user: AdminUser): string {
  return user.name || user.username || user.email || 'Somebody';
}
