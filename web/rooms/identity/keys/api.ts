import { queryOptions } from '@tanstack/react-query';
import type { ApiKey, KeyScope } from '../../../../src/identity/schema.ts';
import type { Api } from '../../../kit/api.ts';
import type { Workspace } from '../../../kit/workspace.tsx';

export type { ApiKey, KeyScope };

export function keysQuery({ slug, api }: Pick<Workspace, 'slug' | 'api'>) {
  return queryOptions({
    queryKey: [slug, 'keys'],
    queryFn: async ({ signal }) => (await api.get<{ data: ApiKey[] }>('/v1/api-keys', {}, signal)).data,
  });
}

export type NewKey = { name: string; scopes: KeyScope[]; expires_at?: string; channels?: string[] };

/** The answer is the only place that ever shows the key. */
export function createKey(api: Api, key: NewKey): Promise<ApiKey & { key: string }> {
  return api.post('/v1/api-keys', key);
}

export function revokeKey(api: Api, id: string): Promise<void> {
  return api.remove(`/v1/api-keys/${id}`);
}
