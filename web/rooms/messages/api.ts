import { infiniteQueryOptions, queryOptions } from '@tanstack/react-query';
import type { Delivery, DeliveryStatus, Message, MessageDetail } from '../../../src/messages/schema.ts';
import type { Api, Page } from '../../kit/api.ts';
import type { Workspace } from '../../kit/workspace.tsx';
import type { Outcome } from './outcomes.ts';

export type { Delivery, DeliveryStatus, Message, MessageDetail };

type Place = Pick<Workspace, 'slug' | 'api'>;

/** Newest first, fifty at a time. */
export function messagesQuery({ slug, api }: Place, outcome: Outcome | undefined) {
  return infiniteQueryOptions({
    queryKey: [slug, 'messages', 'list', outcome],
    queryFn: ({ pageParam, signal }) =>
      api.get<Page<Message>>('/v1/messages', { outcome, limit: 50, cursor: pageParam }, signal),
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
  });
}

export function cancelMessage(api: Api, id: string): Promise<void> {
  return api.remove(`/v1/messages/${id}`);
}
