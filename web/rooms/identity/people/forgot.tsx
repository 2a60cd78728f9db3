import { Button, Stack, Text, TextInput } from '@mantine/core';
import { useMutation, useQuery } from '@tanstack/react-query';
import { type FormEvent, useState } from 'react';
import { useFirstFault } from '../../../kit/first-fault.ts';
import { TextLink } from '../../../kit/links.tsx';
import { Entry } from '../entry.tsx';
import { textOf } from '../form-text.ts';
import { Refused } from '../refused.tsx';
import { askForReset, instanceQuery } from './api.ts';

/** For who cannot sign in. The page says the same whether there is such a person. */
export function Forgot() {
  const instance = useQuery(instanceQuery);
  const [faults, setFaults] = useState<{ name?: string }>({});
  const ask = useMutation({ mutationFn: askForReset });
  const ref = useFirstFault(faults, ask.error);
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const name = textOf(new FormData(event.currentTarget), 'name').trim();
    setFaults(name === '' ? { name: 'Type your username or e-mail address.' } : {});
    if (name !== '' && !ask.isPending) ask.mutate(name);
  };
  if (instance.data?.mail === false) {
    return (
      <Entry
        title="Forgot your password?"
        intro="No mail leaves this Convoke. Ask whoever runs it for a link with which you choose another one."
      >
        <TextLink to="/sign-in">Back</TextLink>
      </Entry>
    );
  }
  if (ask.isSuccess) {
    return (
      <Entry
        title="Look into your mail"
        intro="If there is such an account and it has an e-mail address, a mail with a link is on its way to it."
      >
        <Text c="dimmed" size="sm">
          Nothing there? Ask the operator of this Convoke, who can set a password, or go{' '}
          <TextLink to="/sign-in">back</TextLink>.
        </Text>
      </Entry>
    );
  }
  return (
    <Entry title="Forgot your password?" intro="You get a mail with a link to choose another one.">
      <form ref={ref} onSubmit={submit} noValidate>
        <Stack gap="md">
          <Refused error={ask.error} />
          <TextInput
            label="Username or e-mail address"
            name="name"
            autoComplete="username"
            autoCapitalize="none"
            autoCorrect="off"
            spellCheck={false}
            autoFocus
            error={faults.name}
          />
          <Button type="submit" loading={ask.isPending} fullWidth>
            Send me the link
          </Button>
          <Text size="sm">
            <TextLink to="/sign-in">Back</TextLink>
          </Text>
        </Stack>
      </form>
    </Entry>
  );
}
