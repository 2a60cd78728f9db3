import { queryOptions } from '@tanstack/react-query';
import type { OptOut } from '../../../src/contacts/schema.ts';
import type { Api } from '../../kit/api.ts';
import type { Workspace } from '../../kit/workspace.tsx';

export type { OptOut };

type Place = Pick<Workspace, 'slug' | 'api'>;

/** Newest first, at most a thousand. */
export function optOutsQuery({ slug, api }: Place) {
  return queryOptions({
    queryKey: [slug, 'contacts', 'opt-outs'],
    queryFn: () => api.all<OptOut>('/v1/opt-outs'),
  });
}

export type NewOptOut = { phone: string; reason: string; name?: string };

export function addOptOut(api: Api, entry: NewOptOut, key: string): Promise<OptOut> {
  return api.post('/v1/opt-outs', entry, key);
}

export function liftOptOut(api: Api, id: string, reason: string): Promise<void> {
  return api.post(`/v1/opt-outs/${id}/lift`, { reason });
}
