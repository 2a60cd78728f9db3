import { queryOptions } from '@tanstack/react-query';
import type { Parking, Parkings } from '../../../../src/messages/schema.ts';
import type { Api } from '../../../kit/api.ts';
import type { Workspace } from '../../../kit/workspace.tsx';

export type { Parking, Parkings };
export type Overdue = 'send' | 'miss';
/** A channel, or the whole workspace. */
export type Parkable = { channelId: string; label: string } | 'workspace';

/** What becomes due meanwhile is counted anew. */
const COUNT_MS = 30_000;

export function parkingsQuery({ slug, api }: Pick<Workspace, 'slug' | 'api'>) {
  return queryOptions({
    queryKey: [slug, 'parking'],
    queryFn: ({ signal }) => api.get<Parkings>('/v1/parking', undefined, signal),
    refetchInterval: ({ state }) => ((state.data?.data.length ?? 0) > 0 ? COUNT_MS : false),
  });
}

export function park(api: Api, what: Parkable, reason: string): Promise<Parkings> {
  return api.post('/v1/parking', { ...idOf(what), reason });
}

export function arm(api: Api, what: Parkable, overdue: Overdue | undefined): Promise<Parkings> {
  return api.post('/v1/parking/arm', { ...idOf(what), ...(overdue === undefined ? {} : { overdue }) });
}

function idOf(what: Parkable): { channel_id?: string } {
  return what === 'workspace' ? {} : { channel_id: what.channelId };
}
