import { Alert, Button, Group, Text } from '@mantine/core';
import { IconUsers } from '@tabler/icons-react';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useNavigate, useParams, useSearch } from '@tanstack/react-router';
import { useState } from 'react';
import { Problem } from '../../kit/api.ts';
import { TextLink } from '../../kit/links.tsx';
import { Page } from '../../kit/page.tsx';
import { toastDone, toastProblem } from '../../kit/toast.tsx';
import { Loaded } from '../../kit/waiting.tsx';
import { useWorkspace } from '../../kit/workspace.tsx';
import type { Channel } from '../channels/api.ts';
import { changeReminder, type Reminder, reminderQuery } from './api.ts';
import { changesOf, type Draft, draftOf, type Step } from './draft.ts';
import { DraftWizard, useChannels } from './draft-wizard.tsx';
import { SaveTrouble } from './save-trouble.tsx';

const editSteps = ['message', 'when', 'who', 'review'] as const;

export function EditReminder() {
  const { id } = useParams({ from: '/w/$slug/reminders/$id/edit' });
  const workspace = useWorkspace();
  const reminder = useQuery({ ...reminderQuery(workspace, id), refetchOnMount: 'always' });
  const channels = useChannels();
  if (reminder.data && channels.data)
    return <Questions key={id} found={reminder.data} channels={channels.data} />;
  return (
    <Page title="Edit reminder">
      <Loaded query={reminder} what="the reminder">
        {() => (
          <Loaded query={channels} what="channels">
            {() => null}
          </Loaded>
        )}
      </Loaded>
    </Page>
  );
}

function Questions({ found, channels }: { found: Reminder; channels: Channel[] }) {
  const workspace = useWorkspace();
  const { slug, api } = workspace;
  const client = useQueryClient();
  const navigate = useNavigate();
  const { step = 'message' } = useSearch({ from: '/w/$slug/reminders/$id/edit' });
  // What the edit builds on stays, whatever others change meanwhile; If-Match tells.
  const [base, setBase] = useState(found);
  const [draft, setDraft] = useState(() => draftOf(found, Date.now()));

  const toReminder = () =>
    navigate({ to: '/w/$slug/reminders/$id', params: { slug, id: base.id }, replace: true });
  const goTo = (next: Step) =>
    void navigate({
      to: '/w/$slug/reminders/$id/edit',
      params: { slug, id: base.id },
      search: { step: next },
    });

  const save = useMutation({
    mutationFn: async ({ ready, on }: { ready: Draft; on: Reminder }) => {
      const changes = changesOf(ready, base);
      return Object.keys(changes).length === 0 ? on : changeReminder(api, base.id, changes, on.version);
    },
    onSuccess: async changed => {
      client.setQueryData(reminderQuery(workspace, base.id).queryKey, changed);
      void client.invalidateQueries({ queryKey: [slug, 'reminders'] });
      toastDone('Reminder changed.');
      await toReminder();
    },
  });

  const newest = useMutation({
    mutationFn: () => client.fetchQuery({ ...reminderQuery(workspace, base.id), staleTime: 0 }),
    onError: problem => toastProblem('The newest version could not be read', problem),
  });
  const takeTheirs = () =>
    newest.mutate(undefined, {
      onSuccess: reminder => {
        setBase(reminder);
        setDraft(draftOf(reminder, Date.now()));
        save.reset();
        goTo('message');
      },
    });
  const keepMine = () =>
    newest.mutate(undefined, { onSuccess: reminder => save.mutate({ ready: draft, on: reminder }) });

  const conflict = save.error instanceof Problem && save.error.code === 'version_conflict';
  return (
    <DraftWizard
      title="Edit reminder"
      back={
        <TextLink to="/w/$slug/reminders/$id" params={{ slug, id: base.id }}>
          The reminder
        </TextLink>
      }
      steps={editSteps}
      step={step}
      goTo={goTo}
      draft={draft}
      change={part => setDraft({ ...draft, ...part })}
      channels={channels}
      endsAt={base.ends_at}
      saveWord="Save changes"
      saving={save.isPending || newest.isPending}
      save={ready => save.mutate({ ready, on: base })}
      notice={
        conflict ? (
          <ChangedMeanwhile takeTheirs={takeTheirs} keepMine={keepMine} />
        ) : (
          save.error && (
            <SaveTrouble
              error={save.error}
              goTo={goTo}
              retry={() => save.mutate({ ready: draft, on: base })}
            />
          )
        )
      }
    />
  );
}

function ChangedMeanwhile({ takeTheirs, keepMine }: { takeTheirs: () => void; keepMine: () => void }) {
  return (
    <Alert
      color="orange"
      icon={<IconUsers aria-hidden />}
      title="Someone changed this reminder meanwhile"
      role="alert"
    >
      <Text mb="sm">Your changes are still here and nothing was overwritten.</Text>
      <Group gap="sm">
        <Button size="sm" variant="default" onClick={takeTheirs}>
          Begin again from theirs
        </Button>
        <Button size="sm" variant="default" onClick={keepMine}>
          Save mine over it
        </Button>
      </Group>
    </Alert>
  );
}
