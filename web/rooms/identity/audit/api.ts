import { infiniteQueryOptions } from '@tanstack/react-query';
import type { Page, Query } from '../../../kit/api.ts';
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

/** Facts that fit the filter, newest first. `read` asks for one page. */
export function factsQuery(
  key: string[],
  { type, actor }: AuditFilter,
  read: (query: Query, signal: AbortSignal) => Promise<Page<LoggedFact>>,
) {
  return infiniteQueryOptions({
    queryKey: [...key, type ?? '', actor ?? ''],
    queryFn: ({ pageParam, signal }) => read({ limit: 50, type, actor_id: actor, cursor: pageParam }, signal),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: last => last.page.next_cursor ?? undefined,
  });
}

export type FactsQuery = ReturnType<typeof factsQuery>;

export function auditQuery({ slug, api }: Pick<Workspace, 'slug' | 'api'>, filter: AuditFilter): FactsQuery {
  return factsQuery([slug, 'audit'], filter, (query, signal) => api.get('/v1/activity', query, signal));
}

/** Where the browser finds the facts of `path` as a file. */
export function exportAddress(path: string, { type, actor }: AuditFilter, workspace?: string): string {
  const query = new URLSearchParams(workspace === undefined ? {} : { workspace });
  if (type) query.set('type', type);
  if (actor) query.set('actor_id', actor);
  return `${path}/export.csv?${query}`;
}
