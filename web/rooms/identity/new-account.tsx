import { Button, Stack, TextInput } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { type FormEvent, useState } from 'react';
import { Problem } from '../../kit/api.ts';
import { useFirstFault } from '../../kit/first-fault.ts';
import { browserLocale, browserZone } from '../../kit/reader.ts';
import { textOf } from './form-text.ts';
import { NewPassword, passwordFault } from './new-password.tsx';
import { AcceptTerms } from './people/accept-terms.tsx';
import { type Completion, instanceQuery } from './people/api.ts';
import { Refused } from './refused.tsx';

const FIELDS = ['name', 'username', 'password', 'accept_terms'] as const;
type Field = (typeof FIELDS)[number];

type Props = {
  token: string;
  verb: string;
  /** With it the person can sign in; without one a username is needed. */
  email?: string | null;
  make: (completion: Completion) => Promise<unknown>;
};

/** The account of somebody who came by a link; afterwards they are in. */
export function NewAccount({ token, verb, email, make }: Props) {
  const client = useQueryClient();
  const navigate = useNavigate();
  const terms = useQuery(instanceQuery).data?.terms;
  const [faults, setFaults] = useState<Partial<Record<Field, string>>>({});
  const making = useMutation({
    mutationFn: make,
    onSuccess: () => {
      client.clear();
      return navigate({ to: '/', replace: true });
    },
    // Terms may have come since the page was opened.
    onError: () => client.invalidateQueries({ queryKey: instanceQuery.queryKey }),
  });
  const ref = useFirstFault(faults, making.error);
  const fault = (field: Field) =>
    faults[field] ?? (making.error instanceof Problem ? making.error.of(field) : undefined);

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
      ...(username === '' && email === null ? { username: 'Choose a username.' } : {}),
      ...(short === undefined ? {} : { password: short }),
      ...(terms && !accepted ? { accept_terms: 'Read and accept the terms first.' } : {}),
    };
    setFaults(lacks);
    if (Object.keys(lacks).length > 0 || making.isPending) return;
    making.mutate({
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
    <form ref={ref} onSubmit={submit} noValidate>
      <Stack gap="md">
        <Refused error={making.error} fields={FIELDS.filter(field => terms || field !== 'accept_terms')} />
        <TextInput label="Your name" name="name" autoComplete="name" autoFocus error={fault('name')} />
        <TextInput
          label="Username"
          description={
            email === null
              ? 'With it you sign in.'
              : `You can leave it out and sign in with ${email ?? 'your e-mail address'}.`
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
        <Button type="submit" loading={making.isPending} fullWidth>
          {verb}
        </Button>
      </Stack>
    </form>
  );
}
