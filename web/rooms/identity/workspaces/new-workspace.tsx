import { Button, Stack, Text, TextInput } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { type FormEvent, useState } from 'react';
import { Problem } from '../../../kit/api.ts';
import { ErrorView } from '../../../kit/error-view.tsx';
import { useFirstFault } from '../../../kit/first-fault.ts';
import { TextLink } from '../../../kit/links.tsx';
import { meQuery } from '../api.ts';
import { Entry } from '../entry.tsx';
import { SignOut } from '../sign-out.tsx';
import { foundWorkspace } from './api.ts';

/** For who is signed in and belongs nowhere yet, or wants one more workspace. */
export function NewWorkspace() {
  const client = useQueryClient();
  const navigate = useNavigate();
  const somewhere = (useQuery(meQuery).data?.workspaces.length ?? 0) > 0;
  const [name, setName] = useState('');
  const [faults, setFaults] = useState<{ name?: string }>({});
  const found = useMutation({
    mutationFn: () => foundWorkspace(name.trim()),
    onSuccess: async me => {
      const before = new Set(
        client.getQueryData(meQuery.queryKey)?.workspaces.map(workspace => workspace.id) ?? [],
      );
      client.setQueryData(meQuery.queryKey, me);
      const made = me.workspaces.find(workspace => !before.has(workspace.id)) ?? me.workspaces[0];
      await navigate(made ? { to: '/w/$slug', params: { slug: made.slug } } : { to: '/' });
    },
  });
  const ref = useFirstFault(faults, found.error);
  const refused = found.error instanceof Problem ? found.error.of('name') : undefined;
  const submit = (event: FormEvent) => {
    event.preventDefault();
    setFaults(name.trim() === '' ? { name: 'Give it a name.' } : {});
    if (name.trim() !== '' && !found.isPending) found.mutate();
  };
  return (
    <Entry
      title="A new workspace"
      intro="Everything of one organisation is together in a workspace: numbers, people, reminders. Nobody else sees it."
    >
      <form ref={ref} onSubmit={submit} noValidate>
        <Stack gap="md">
          {found.error && refused === undefined && <ErrorView error={found.error} />}
          <TextInput
            label="Name"
            placeholder="Riverside Choir"
            value={name}
            onChange={event => {
              setName(event.currentTarget.value);
              if (faults.name !== undefined) setFaults({});
            }}
            error={faults.name ?? refused}
            autoFocus
          />
          <Button type="submit" loading={found.isPending} fullWidth>
            Make workspace
          </Button>
          <Text size="sm" c="dimmed">
            Does your organisation have one already? Ask its owner for an invitation.
          </Text>
        </Stack>
      </form>
      <Stack gap="xs" align="center">
        {somewhere && <TextLink to="/">Back</TextLink>}
        <TextLink to="/account">Your account</TextLink>
        {!somewhere && <SignOut />}
      </Stack>
    </Entry>
  );
}
