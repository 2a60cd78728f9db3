import { queryOptions } from '@tanstack/react-query';
import type { Preview, Reminder, Run } from '../../../src/reminders/schema.ts';
import type { Api, Page } from '../../kit/api.ts';
import type { Workspace } from '../../kit/workspace.tsx';
import type { NewReminderBody, ReminderChanges, Schedule } from './draft.ts';

export type { Preview, Reminder, Run };

type Place = Pick<Workspace, 'slug' | 'api'>;

export function remindersQuery({ slug, api }: Place) {
  return queryOptions({
    queryKey: [slug, 'reminders', 'list'],
    queryFn: () => api.all<Reminder>('/v1/reminders'),
  });
}

export function reminderQuery({ slug, api }: Place, id: string) {
  return queryOptions({
    queryKey: [slug, 'reminders', 'one', id],
    queryFn: ({ signal }) => api.get<Reminder>(`/v1/reminders/${id}`, undefined, signal),
  });
}

/** The last runs, newest first. */
export function runsQuery({ slug, api }: Place, id: string) {
  return queryOptions({
    queryKey: [slug, 'runs', id],
    queryFn: ({ signal }) => api.get<Page<Run>>(`/v1/reminders/${id}/runs`, { limit: 20 }, signal),
  });
}

/** Words and next five instants of a schedule; a fault in it comes as a 422 that names the field. */
export function previewQuery({ slug, api }: Place, schedule: Schedule | undefined, endsAt: string | null) {
  return queryOptions({
    queryKey: [slug, 'preview', schedule, endsAt],
    queryFn: () => api.post<Preview>('/v1/reminders/preview', { schedule, ends_at: endsAt }),
    enabled: schedule !== undefined,
    retry: false,
  });
}

/** `key` = the id of the draft: the same draft becomes one reminder. */
export function createReminder(api: Api, body: NewReminderBody, key: string): Promise<Reminder> {
  return api.post('/v1/reminders', body, key);
}

export function changeReminder(
  api: Api,
  id: string,
  changes: ReminderChanges,
  version: number,
): Promise<Reminder> {
  return api.patch(`/v1/reminders/${id}`, changes, version);
}

export function pauseReminder(api: Api, id: string): Promise<Reminder> {
  return api.post(`/v1/reminders/${id}/pause`);
}

export function resumeReminder(api: Api, id: string): Promise<Reminder> {
  return api.post(`/v1/reminders/${id}/resume`);
}

export function deleteReminder(api: Api, id: string): Promise<void> {
  return api.remove(`/v1/reminders/${id}`);
}
