import { Button, Group, Paper, Stack, Text, TextInput, Title } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { type FormEvent, type ReactNode, useState } from 'react';
import { Problem } from '../../../kit/api.ts';
import { confirmThat } from '../../../kit/confirm.tsx';
import { ErrorView } from '../../../kit/error-view.tsx';
import { TextLink } from '../../../kit/links.tsx';
import { Page } from '../../../kit/page.tsx';
import { toastDone, toastProblem } from '../../../kit/toast.tsx';
import { Loaded } from '../../../kit/waiting.tsx';
import { useWorkspace } from '../../../kit/workspace.tsx';
import { meQuery } from '../api.ts';
import { TypedDialog } from '../typed-dialog.tsx';
import {
  changeWorkspace,
  deleteWorkspace,
  leaveWorkspace,
  type WorkspaceFacts,
  workspaceQuery,
} from './api.ts';

/** The name of the workspace, and the ways out of it. */
export function WorkspacePage() {
  const workspace = useWorkspace();
  const query = useQuery(workspaceQuery(workspace));
  return (
    <Page
      title="Workspace"
      width="reading"
      back={
        <TextLink to="/w/$slug/settings" params={{ slug: workspace.slug }}>
          Settings
        </TextLink>
      }
    >
      <Stack gap="xl">
        {workspace.can('workspace.manage') && (
          <Loaded query={query} what="workspace">
            {facts => <Names facts={facts} />}
          </Loaded>
        )}
        <Leaving />
        {workspace.can('workspace.delete') && <Deleting />}
      </Stack>
    </Page>
  );
}

function Names({ facts }: { facts: WorkspaceFacts }) {
  const { api } = useWorkspace();
  const client = useQueryClient();
  const navigate = useNavigate();
  const [name, setName] = useState(facts.name);
  const [slug, setSlug] = useState(facts.slug);
  const save = useMutation({
    mutationFn: () => changeWorkspace(api, { name: name.trim(), slug: slug.trim() }),
    onSuccess: async changed => {
      await client.invalidateQueries({ queryKey: meQuery.queryKey });
      toastDone('Saved.');
      if (changed.slug !== facts.slug)
        await navigate({ to: '/w/$slug/settings/workspace', params: { slug: changed.slug }, replace: true });
    },
  });
  const fault = (field: string) => (save.error instanceof Problem ? save.error.of(field) : undefined);
  const same = name.trim() === facts.name && slug.trim() === facts.slug;
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (!same && !save.isPending) save.mutate();
  };
  return (
    <Paper p={{ base: 'md', sm: 'xl' }} component="form" onSubmit={submit} noValidate>
      <Stack gap="lg">
        {save.error && fault('name') === undefined && fault('slug') === undefined && (
          <ErrorView error={save.error} />
        )}
        <TextInput
          label="Name"
          value={name}
          onChange={event => setName(event.currentTarget.value)}
          error={fault('name')}
        />
        <TextInput
          label="Short name"
          description="Stands in addresses. Links with the old one stop working."
          value={slug}
          onChange={event => setSlug(event.currentTarget.value)}
          error={fault('slug')}
          autoCapitalize="none"
          spellCheck={false}
        />
        <Group justify="flex-end">
          <Button type="submit" loading={save.isPending} disabled={same}>
            Save
          </Button>
        </Group>
      </Stack>
    </Paper>
  );
}

function Leaving() {
  const { api, name } = useWorkspace();
  const client = useQueryClient();
  const navigate = useNavigate();
  const leave = useMutation({
    mutationFn: () => leaveWorkspace(api),
    onSuccess: () => {
      client.clear();
      return navigate({ to: '/', replace: true });
    },
    onError: error => toastProblem('You are still a member', error),
  });
  return (
    <Section
      title="Leave"
      words={`You no longer see anything of ${name}. To come back you need an invitation.`}
      action={
        <Button
          variant="default"
          loading={leave.isPending}
          onClick={() =>
            confirmThat({
              title: `Leave ${name}?`,
              consequence: 'To come back you need an invitation.',
              verb: 'Leave',
              act: () => leave.mutate(),
            })
          }
        >
          Leave workspace
        </Button>
      }
    />
  );
}

function Deleting() {
  const { name, slug, api } = useWorkspace();
  const client = useQueryClient();
  const [asking, setAsking] = useState(false);
  return (
    <>
      <Section
        title="Delete"
        words={`${name} closes at once for everybody, and nothing is sent any more. For 14 days an owner can keep it after all.`}
        action={
          <Button color="red" variant="light" onClick={() => setAsking(true)}>
            Delete workspace
          </Button>
        }
      />
      {asking && (
        <TypedDialog
          title={`Delete ${name}?`}
          consequence="It closes now for everybody, and nothing is sent any more. In 14 days it is gone for good, unless an owner keeps it."
          word={slug}
          verb="Delete"
          act={typed => deleteWorkspace(api, typed)}
          settled={() => client.invalidateQueries({ queryKey: meQuery.queryKey })}
          close={() => setAsking(false)}
        />
      )}
    </>
  );
}

function Section({ title, words, action }: { title: string; words: string; action: ReactNode }) {
  return (
    <Stack gap="sm" component="section" aria-label={title} align="flex-start">
      <Title order={2}>{title}</Title>
      <Text c="dimmed">{words}</Text>
      {action}
    </Stack>
  );
}
