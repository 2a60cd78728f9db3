import { ActionIcon, Button, Menu } from '@mantine/core';
import { IconDots, IconPlayerPause, IconPlayerPlay, IconTrash } from '@tabler/icons-react';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { confirmThat } from '../../kit/confirm.tsx';
import { toastDone, toastProblem } from '../../kit/toast.tsx';
import { useWorkspace } from '../../kit/workspace.tsx';
import { titleOf } from '../messages/formatting.ts';
import { deleteReminder, pauseReminder, type Reminder, reminderQuery, resumeReminder } from './api.ts';

/** Pause and resume undo each other, so neither asks. */
export function Switch({ reminder }: { reminder: Reminder }) {
  const workspace = useWorkspace();
  const client = useQueryClient();
  const { queryKey } = reminderQuery(workspace, reminder.id);

  const turn = useMutation({
    mutationFn: ({ on }: { on: boolean; undone?: true }) =>
      (on ? resumeReminder : pauseReminder)(workspace.api, reminder.id),
    onMutate: async ({ on }) => {
      await client.cancelQueries({ queryKey });
      const before = client.getQueryData(queryKey);
      if (before) client.setQueryData(queryKey, { ...before, status: on ? 'active' : 'paused', next: null });
      return { before };
    },
    onSuccess: (changed, { on, undone }) => {
      client.setQueryData(queryKey, changed);
      const undo = undone ? undefined : () => turn.mutate({ on: !on, undone: true });
      toastDone(on ? 'The reminder goes on.' : 'The reminder is paused.', undo);
    },
    onError: (problem, { on }, context) => {
      client.setQueryData(queryKey, context?.before);
      toastProblem(on ? 'The reminder was not resumed' : 'The reminder was not paused', problem);
    },
    onSettled: () => client.invalidateQueries({ queryKey: [workspace.slug, 'reminders'] }),
  });

  if (reminder.status === 'ended') return null;
  const paused = reminder.status === 'paused';
  const Picture = paused ? IconPlayerPlay : IconPlayerPause;
  return (
    <Button
      variant="default"
      leftSection={<Picture size="1.2em" aria-hidden />}
      disabled={turn.isPending}
      onClick={() => turn.mutate({ on: paused })}
    >
      {paused ? 'Resume' : 'Pause'}
    </Button>
  );
}

export function ReminderMenu({ reminder }: { reminder: Reminder }) {
  const { slug, api } = useWorkspace();
  const client = useQueryClient();
  const navigate = useNavigate();
  const title = titleOf(reminder.content.text.body);

  const remove = useMutation({
    mutationFn: () => deleteReminder(api, reminder.id),
    onSuccess: async () => {
      toastDone('The reminder is deleted.');
      await navigate({ to: '/w/$slug/reminders', params: { slug }, replace: true });
      return client.invalidateQueries({ queryKey: [slug, 'reminders'] });
    },
    onError: problem => toastProblem('The reminder was not deleted', problem),
  });

  const ask = () =>
    confirmThat({
      title: `Delete “${title}”?`,
      consequence:
        'Nothing more goes out, and what still waits is cancelled. Messages that were sent stay on the Activity page. This cannot be undone.',
      verb: 'Delete reminder',
      act: () => remove.mutate(),
    });

  return (
    <Menu withInitialFocusPlaceholder={false} position="bottom-end" shadow="md">
      <Menu.Target>
        <ActionIcon variant="default" size="input-md" aria-label="More actions" loading={remove.isPending}>
          <IconDots size="1.2em" aria-hidden />
        </ActionIcon>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Item
          c="var(--mantine-color-error)"
          leftSection={<IconTrash size="1.1em" aria-hidden />}
          onClick={ask}
        >
          Delete
        </Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}
