import { Button, Stack, TextInput } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useNavigate, useParams } from '@tanstack/react-router';
import { type FormEvent, useState } from 'react';
import { Problem } from '../../../kit/api.ts';
import { browserLocale } from '../../../kit/locale.ts';
import { browserZone } from '../../../kit/time.ts';
import { Entry } from '../entry.tsx';
import { textOf } from '../form-text.ts';
import { NewPassword, passwordFault } from '../new-password.tsx';
import { Refused } from '../refused.tsx';
import { AcceptTerms } from './accept-terms.tsx';
import { type Completion, completeSignUp, instanceQuery } from './api.ts';

const FIELDS = ['name', 'username', 'password', 'accept_terms'] as const;
type Field = (typeof FIELDS)[number];

/** Where the link of the mail leads: name, password, and in. */
export function CompleteSignUp() {
  const { token } = useParams({ from: '/sign-up/$token' });
  const client = useQueryClient();
  const navigate = useNavigate();
  const terms = useQuery(instanceQuery).data?.terms;
  const [faults, setFaults] = useState<Partial<Record<Field, string>>>({});
  const complete = useMutation({
    mutationFn: (completion: Completion) => completeSignUp(completion),
    onSuccess: () => {
      client.clear();
      return navigate({ to: '/', replace: true });
    },
  });
  const fault = (field: Field) =>
    faults[field] ?? (complete.error instanceof Problem ? complete.error.of(field) : undefined);

  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    const [name, username] = [textOf(form, 'name').trim(), textOf(form, 'username').trim()];
    const password = textOf(form, 'password');
    const accepted = form.get('accept_terms') !== null;
    const short = passwordFault(password);
    const lacks = {
      ...(name === '' ? { name: 'Tell others who you are.' } : {}),
      ...(short === undefined ? {} : { password: short }),
      ...(terms && !accepted ? { accept_terms: 'Read and accept the terms first.' } : {}),
    };
    setFaults(lacks);
    if (Object.keys(lacks).length > 0 || complete.isPending) return;
    complete.mutate({
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
    <Entry title="Your account" intro="Almost there. Say who you are and choose a password.">
      <form onSubmit={submit} noValidate>
        <Stack gap="md">
          <Refused error={complete.error} fields={[...FIELDS]} />
          <TextInput label="Your name" name="name" autoComplete="name" autoFocus error={fault('name')} />
          <TextInput
            label="Username"
            description="You can leave it out and sign in with your e-mail address."
            name="username"
            autoComplete="username"
            autoCapitalize="none"
            autoCorrect="off"
            spellCheck={false}
            error={fault('username')}
          />
          <NewPassword error={fault('password')} />
          {terms && <AcceptTerms terms={terms} error={fault('accept_terms')} />}
          <Button type="submit" loading={complete.isPending} fullWidth>
            Make my account
          </Button>
        </Stack>
      </form>
    </Entry>
  );
}
