import { Alert, Button, PasswordInput, Stack, Text, TextInput } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useNavigate, useParams } from '@tanstack/react-router';
import { type FormEvent, useState } from 'react';
import { Problem } from '../../../kit/api.ts';
import { TextLink } from '../../../kit/links.tsx';
import { meQuery } from '../api.ts';
import { Entry } from '../entry.tsx';
import { acceptInvitation, type InvitationView, invitationQuery, joinByInvitation } from './api.ts';
import { roles } from './words.ts';

/** Where the link of an invitation leads: in with the account that one has, or with a new one. */
export function InvitationPage() {
  const { token } = useParams({ from: '/invitation/$token' });
  const invitation = useQuery(invitationQuery(token));
  const me = useQuery({ ...meQuery, retry: false });
  if (invitation.isPending || me.isPending) {
    return (
      <Entry title="Invitation" intro="One moment.">
        <Text c="dimmed">Looking for it.</Text>
      </Entry>
    );
  }
  if (invitation.error) {
    return (
      <Entry title="This invitation is over" intro={invitation.error.message}>
        <TextLink to="/sign-in">Sign in</TextLink>
      </Entry>
    );
  }
  const { data } = invitation;
  const intro = `${data.invited_by ? `${data.invited_by} invites you` : 'You are invited'} to come in as ${roles[data.role].word.toLowerCase()}.`;
  return (
    <Entry title={`Join ${data.workspace.name}`} intro={intro}>
      {me.data ? (
        <AsMyself token={token} name={me.data.user.name || me.data.user.username || ''} view={data} />
      ) : (
        <AsSomebodyNew token={token} />
      )}
    </Entry>
  );
}

function useWayIn() {
  const client = useQueryClient();
  const navigate = useNavigate();
  return () => {
    client.clear();
    return navigate({ to: '/', replace: true });
  };
}

function AsMyself({ token, name, view }: { token: string; name: string; view: InvitationView }) {
  const enter = useWayIn();
  const accept = useMutation({ mutationFn: () => acceptInvitation(token), onSuccess: enter });
  return (
    <Stack gap="md">
      {accept.error && <Refused error={accept.error} />}
      <Text>You are signed in as {name}.</Text>
      <Button loading={accept.isPending} onClick={() => accept.mutate()} fullWidth>
        Join {view.workspace.name}
      </Button>
    </Stack>
  );
}

type Field = 'username' | 'name' | 'password';

function AsSomebodyNew({ token }: { token: string }) {
  const enter = useWayIn();
  const [faults, setFaults] = useState<Partial<Record<Field, string>>>({});
  const join = useMutation({ mutationFn: joinByInvitation, onSuccess: enter });
  const fault = (field: Field) =>
    faults[field] ?? (join.error instanceof Problem ? join.error.of(field) : undefined);

  // Read from the form itself: password managers fill fields without telling anybody.
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    const text = (field: Field) => String(form.get(field) ?? '');
    const username = text('username').trim();
    const password = text('password');
    const lacks = {
      ...(username === '' ? { username: 'Choose a username.' } : {}),
      ...(password.length < 10 ? { password: 'Use at least 10 characters.' } : {}),
    };
    setFaults(lacks);
    if (Object.keys(lacks).length === 0 && !join.isPending)
      join.mutate({ token, username, password, name: text('name').trim() });
  };
  return (
    <form onSubmit={submit} noValidate>
      <Stack gap="md">
        {join.error && !(join.error instanceof Problem && join.error.fields.length > 0) && (
          <Refused error={join.error} />
        )}
        <Text>
          Have an account already?{' '}
          <TextLink to="/sign-in" search={{ next: `/invitation/${token}` }}>
            Sign in
          </TextLink>
        </Text>
        <TextInput label="Your name" name="name" autoComplete="name" error={fault('name')} />
        <TextInput
          label="Username"
          description="With it you sign in."
          name="username"
          autoComplete="username"
          autoCapitalize="none"
          autoCorrect="off"
          spellCheck={false}
          error={fault('username')}
        />
        <PasswordInput
          label="Password"
          description="At least 10 characters. A few words that you can remember are better than signs that you cannot."
          name="password"
          autoComplete="new-password"
          error={fault('password')}
          visibilityToggleButtonProps={{ 'aria-label': 'Show or hide the password' }}
        />
        <Button type="submit" loading={join.isPending} fullWidth>
          Make an account and join
        </Button>
      </Stack>
    </form>
  );
}

function Refused({ error }: { error: Error }) {
  return (
    <Alert color="red" role="alert">
      {error instanceof Problem ? error.message : 'That did not work. Try again.'}
    </Alert>
  );
}
