import { queryOptions } from '@tanstack/react-query';
import type { Status } from '../../../../src/channels/schema.ts';
import type { Workspace } from '../../../kit/workspace.tsx';

export type { Status };
export type NodeStatus = Status['nodes'][number];

/** Who is alive changes without a fact. */
const LOOK_MS = 5_000;

export function statusQuery({ slug, api }: Pick<Workspace, 'slug' | 'api'>) {
  return queryOptions({
    queryKey: [slug, 'status'],
    queryFn: ({ signal }) => api.get<Status>('/v1/status', undefined, signal),
    refetchInterval: LOOK_MS,
  });
}
