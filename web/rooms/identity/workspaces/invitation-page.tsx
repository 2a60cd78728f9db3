import { Button, Stack, Text, TextInput } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useNavigate, useParams } from '@tanstack/react-router';
import { type FormEvent, useState } from 'react';
import { Problem } from '../../../kit/api.ts';
import { TextLink } from '../../../kit/links.tsx';
import { meQuery } from '../api.ts';
import { Entry } from '../entry.tsx';
import { textOf } from '../form-text.ts';
import { NewPassword, passwordFault } from '../new-password.tsx';
import { Refused } from '../refused.tsx';
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
      <Refused error={accept.error} />
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
    const username = textOf(form, 'username').trim();
    const password = textOf(form, 'password');
    const short = passwordFault(password);
    const lacks = {
      ...(username === '' ? { username: 'Choose a username.' } : {}),
      ...(short === undefined ? {} : { password: short }),
    };
    setFaults(lacks);
    if (Object.keys(lacks).length === 0 && !join.isPending)
      join.mutate({ token, username, password, name: textOf(form, 'name').trim() });
  };
  return (
    <form onSubmit={submit} noValidate>
      <Stack gap="md">
        <Refused error={join.error} fields={['username', 'name', 'password']} />
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
        <NewPassword error={fault('password')} />
        <Button type="submit" loading={join.isPending} fullWidth>
          Make an account and join
        </Button>
      </Stack>
    </form>
  );
}
