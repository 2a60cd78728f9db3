import { queryOptions } from '@tanstack/react-query';
import type { Pacing } from '../../../../src/messages/schema.ts';
import { type Api, Problem } from '../../../kit/api.ts';
import type { Workspace } from '../../../kit/workspace.tsx';

export type { Pacing };
export type Setting = keyof Pacing['settings'];
/** Null = as advised. */
export type PacingChange = Partial<Record<Setting, number | null>>;

const LOOK_MS = 15_000;

/** Null where nothing is paced. */
export function pacingQuery({ slug, api }: Pick<Workspace, 'slug' | 'api'>, channelId: string) {
  return queryOptions({
    queryKey: [slug, 'channels', 'pacing', channelId],
    queryFn: ({ signal }) =>
      api.get<Pacing>(`/v1/channels/${channelId}/pacing`, undefined, signal).catch(nothingPaced),
    refetchInterval: LOOK_MS,
  });
}

export function changePacing(api: Api, pacing: Pacing, change: PacingChange): Promise<Pacing> {
  return api.patch(`/v1/channels/${pacing.channel_id}/pacing`, change, pacing.version);
}

/** Lets a restricted channel try before its restriction is over. */
export function resumeChannel(api: Api, channelId: string): Promise<Pacing> {
  return api.post(`/v1/channels/${channelId}/pacing/resume`);
}

function nothingPaced(error: unknown): null {
  if (error instanceof Problem && error.status === 409) return null;
  throw error;
}
