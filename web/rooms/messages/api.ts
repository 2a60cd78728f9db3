import { infiniteQueryOptions, queryOptions } from '@tanstack/react-query';
import type {
  Delivery,
  DeliveryStatus,
  Message,
  MessageDetail,
  Resolution,
} from '../../../src/messages/schema.ts';
import type { Api, Page } from '../../kit/api.ts';
import { serverNow } from '../../kit/clock.ts';
import type { Workspace } from '../../kit/workspace.tsx';
import type { Outcome } from './outcomes.ts';

export type { Delivery, DeliveryStatus, Message, MessageDetail, Resolution };

/** That an answer is waited for, or not to be had, is no fact that would be told: it is looked for. */
const LOOK_MS = 2_000;
const LIST_LOOK_MS = 5_000;

type Place = Pick<Workspace, 'slug' | 'api'>;

/** Newest first, fifty at a time. */
export function messagesQuery({ slug, api }: Place, outcome: Outcome | undefined) {
  return infiniteQueryOptions({
    queryKey: [slug, 'messages', 'list', outcome],
    queryFn: ({ pageParam, signal }) =>
      api.get<Page<Message>>('/v1/messages', { outcome, limit: 50, cursor: pageParam }, signal),
    refetchInterval: ({ state }) =>
      state.data?.pages.some(page => page.data.some(mayMove)) ? LIST_LOOK_MS : false,
    initialPageParam: undefined as string | undefined,
    getNextPageParam: page => page.page.next_cursor ?? undefined,
  });
}

/** The newest messages that wait for a person, at most a hundred. */
export function needsYouQuery({ slug, api }: Place) {
  return queryOptions({
    queryKey: [slug, 'messages', 'needs_you'],
    queryFn: async ({ signal }) =>
      (await api.get<Page<Message>>('/v1/messages', { outcome: 'needs_you', limit: 100 }, signal)).data,
  });
}

export function messageQuery({ slug, api }: Place, id: string) {
  return queryOptions({
    queryKey: [slug, 'messages', 'one', id],
    queryFn: ({ signal }) => api.get<MessageDetail>(`/v1/messages/${id}`, undefined, signal),
    refetchInterval: ({ state }) => (state.data && mayMove(state.data) ? LOOK_MS : false),
  });
}

export function resolveMessage(api: Api, id: string, as: Resolution): Promise<MessageDetail> {
  return api.post(`/v1/messages/${id}/resolve`, { as });
}

export function cancelMessage(api: Api, id: string): Promise<void> {
  return api.remove(`/v1/messages/${id}`);
}

/** Whether it may be on the wire now, or be there any moment. */
function mayMove({ delivery }: Pick<Message, 'delivery'>): boolean {
  if (delivery.status === 'in_flight') return true;
  return delivery.status === 'queued' && Date.parse(delivery.due_at) <= serverNow();
}
