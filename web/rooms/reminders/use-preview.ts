import { useDebouncedValue } from '@mantine/hooks';
import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { Problem } from '../../kit/api.ts';
import { useWorkspace } from '../../kit/workspace.tsx';
import { type Preview, previewQuery } from './api.ts';
import { type Draft, type Schedule, scheduleOf } from './draft.ts';

const TYPING_MS = 200;

export type PreviewState = {
  data: Preview | undefined;
  /** Why the server would not take this schedule. */
  refusal: string | undefined;
};

/** The schedule of the draft in the server's words; asks again a moment after the last change. */
export function usePreview(draft: Draft, endsAt: string | null): PreviewState {
  const workspace = useWorkspace();
  const whole = /^\d{4}-\d\d-\d\d$/.test(draft.date) && /^\d\d:\d\d/.test(draft.time);
  const text = JSON.stringify(draft.mode === 'soon' || whole ? (scheduleOf(draft) ?? null) : null);
  const [settledText] = useDebouncedValue(text, TYPING_MS);
  const schedule = (JSON.parse(settledText) as Schedule | null) ?? undefined;
  const query = useQuery({ ...previewQuery(workspace, schedule, endsAt), placeholderData: keepPreviousData });
  const refused =
    query.error instanceof Problem && query.error.status === 422 ? query.error.message : undefined;
  return {
    data: schedule === undefined ? undefined : query.data,
    refusal: refused,
  };
}
