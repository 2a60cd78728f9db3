import { queryOptions } from '@tanstack/react-query';
import type { Channel, Group, Pairing } from '../../../src/channels/schema.ts';
import { type Api, type Page, Problem } from '../../kit/api.ts';
import type { Workspace } from '../../kit/workspace.tsx';

export type { Channel, Group, Pairing };
export type PairingRequest = { method: 'qr' } | { method: 'code'; phone: string };

const RESTRICTION_LOOK_MS = 15_000;

type Place = Pick<Workspace, 'slug' | 'api'>;

export function channelsQuery({ slug, api }: Place) {
  return queryOptions({
    queryKey: [slug, 'channels', 'list'],
    queryFn: () => api.all<Channel>('/v1/channels'),
  });
}

export function channelQuery({ slug, api }: Place, id: string) {
  return queryOptions({
    queryKey: [slug, 'channels', 'one', id],
    queryFn: ({ signal }) => api.get<Channel>(`/v1/channels/${id}`, undefined, signal),
    // That a restriction has run out is no fact.
    refetchInterval: ({ state }) => (state.data?.restriction ? RESTRICTION_LOOK_MS : false),
  });
}

/** Every group that the channel is in, at most a thousand. */
export function groupsQuery({ slug, api }: Place, channelId: string) {
  return queryOptions({
    queryKey: [slug, 'groups', channelId],
    queryFn: () => api.all<Group>('/v1/groups', { channel_id: channelId }),
  });
}

/** The current or last pairing; null when there never was one. */
export function pairingQuery({ slug, api }: Place, channelId: string) {
  return queryOptions({
    queryKey: [slug, 'pairing', channelId],
    queryFn: ({ signal }) =>
      api.get<Pairing>(`/v1/channels/${channelId}/pairing`, undefined, signal).catch(noneYet),
  });
}

export function createChannel(api: Api, label: string, key: string): Promise<Channel> {
  return api.post('/v1/channels', { kind: 'linked', label }, key);
}

export function renameChannel(api: Api, channel: Channel, label: string): Promise<Channel> {
  return api.patch(`/v1/channels/${channel.id}`, { label }, channel.version);
}

export function startPairing(api: Api, channelId: string, request: PairingRequest): Promise<Pairing> {
  return api.post(`/v1/channels/${channelId}/pairing`, request);
}

export function cancelPairing(api: Api, channelId: string): Promise<void> {
  return api.remove(`/v1/channels/${channelId}/pairing`);
}

export function unpairChannel(api: Api, channelId: string): Promise<unknown> {
  return api.post(`/v1/channels/${channelId}/unpair`);
}

export function deleteChannel(api: Api, channelId: string): Promise<void> {
  return api.remove(`/v1/channels/${channelId}`);
}

export function refreshGroups(api: Api, channelId: string): Promise<Page<Group> | undefined> {
  return api.post(`/v1/channels/${channelId}/groups/refresh`);
}

function noneYet(error: unknown): null {
  if (error instanceof Problem && error.status === 404) return null;
  throw error;
}
