import { Button, Stack, Text, TextInput } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useNavigate, useParams } from '@tanstack/react-router';
import { type FormEvent, useState } from 'react';
import { Problem } from '../../../kit/api.ts';
import { TextLink } from '../../../kit/links.tsx';
import { browserLocale } from '../../../kit/locale.ts';
import { browserZone } from '../../../kit/time.ts';
import { meQuery } from '../api.ts';
import { Entry } from '../entry.tsx';
import { textOf } from '../form-text.ts';
import { NewPassword, passwordFault } from '../new-password.tsx';
import { AcceptTerms } from '../people/accept-terms.tsx';
import { instanceQuery } from '../people/api.ts';
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
        <AsSomebodyNew token={token} view={data} />
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

const FIELDS = ['username', 'name', 'password', 'accept_terms'] as const;
type Field = (typeof FIELDS)[number];

function AsSomebodyNew({ token, view }: { token: string; view: InvitationView }) {
  const enter = useWayIn();
  const terms = useQuery(instanceQuery).data?.terms;
  const [faults, setFaults] = useState<Partial<Record<Field, string>>>({});
  const join = useMutation({ mutationFn: joinByInvitation, onSuccess: enter });
  const fault = (field: Field) =>
    faults[field] ?? (join.error instanceof Problem ? join.error.of(field) : undefined);

  // Read from the form itself: password managers fill fields without telling anybody.
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    const [name, username] = [textOf(form, 'name').trim(), textOf(form, 'username').trim()];
    const password = textOf(form, 'password');
    const accepted = form.get('accept_terms') !== null;
    const short = passwordFault(password);
    const lacks = {
      ...(name === '' ? { name: 'Tell others who you are.' } : {}),
      ...(username === '' && view.email === null ? { username: 'Choose a username.' } : {}),
      ...(short === undefined ? {} : { password: short }),
      ...(terms && !accepted ? { accept_terms: 'Read and accept the terms first.' } : {}),
    };
    setFaults(lacks);
    if (Object.keys(lacks).length > 0 || join.isPending) return;
    join.mutate({
      token,
      name,
      password,
      accept_terms: accepted,
      locale: browserLocale,
      time_zone: browserZone,
      ...(username === '' ? {} : { username }),
    });
  };
  return (
    <form onSubmit={submit} noValidate>
      <Stack gap="md">
        <Refused error={join.error} fields={[...FIELDS]} />
        <Text>
          Have an account already?{' '}
          <TextLink to="/sign-in" search={{ next: `/invitation/${token}` }}>
            Sign in
          </TextLink>
        </Text>
        <TextInput label="Your name" name="name" autoComplete="name" error={fault('name')} />
        <TextInput
          label="Username"
          description={
            view.email === null
              ? 'With it you sign in.'
              : `You can leave it out and sign in as ${view.email}.`
          }
          name="username"
          autoComplete="username"
          autoCapitalize="none"
          autoCorrect="off"
          spellCheck={false}
          error={fault('username')}
        />
        <NewPassword error={fault('password')} />
        {terms && <AcceptTerms terms={terms} error={fault('accept_terms')} />}
        <Button type="submit" loading={join.isPending} fullWidth>
          Make an account and join
        </Button>
      </Stack>
    </form>
  );
}
