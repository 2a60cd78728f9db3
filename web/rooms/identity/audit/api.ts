import { infiniteQueryOptions } from '@tanstack/react-query';
import type { Page } from '../../../kit/api.ts';
import type { Workspace } from '../../../kit/workspace.tsx';

/** A fact as `GET /v1/activity` gives it. */
export type LoggedFact = {
  id: string;
  type: string;
  actor: { kind: 'user' | 'api_key' | 'system' | 'recipient'; id: string | null; name: string | null };
  subject: { type: string; id: string };
  payload: unknown;
  address: string | null;
  occurred_at: string;
};

export type AuditFilter = { type?: string; actor?: string };

export function auditQuery({ slug, api }: Pick<Workspace, 'slug' | 'api'>, { type, actor }: AuditFilter) {
  return infiniteQueryOptions({
    queryKey: [slug, 'audit', type ?? '', actor ?? ''],
    queryFn: ({ pageParam, signal }) =>
      api.get<Page<LoggedFact>>(
        '/v1/activity',
        { limit: 50, type, actor_id: actor, cursor: pageParam },
        signal,
      ),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: last => last.page.next_cursor ?? undefined,
  });
}

/** Where the browser finds the same facts as a file. */
export function exportAddress(slug: string, { type, actor }: AuditFilter): string {
  const query = new URLSearchParams({ workspace: slug });
  if (type) query.set('type', type);
  if (actor) query.set('actor_id', actor);
  return `/v1/activity/export.csv?${query}`;
}
