import { Button, Stack, Text, TextInput } from '@mantine/core';
import { useMutation, useQuery } from '@tanstack/react-query';
import { type FormEvent, useState } from 'react';
import { Problem } from '../../../kit/api.ts';
import { useFirstFault } from '../../../kit/first-fault.ts';
import { TextLink } from '../../../kit/links.tsx';
import { Entry } from '../entry.tsx';
import { textOf } from '../form-text.ts';
import { Refused } from '../refused.tsx';
import { askToSignUp, instanceQuery } from './api.ts';

/** First the address: the account is made by whoever reads its mail. */
export function SignUp() {
  const instance = useQuery(instanceQuery);
  if (instance.data && instance.data.sign_up !== 'open') {
    return (
      <Entry
        title="By invitation"
        intro="Accounts here are made by invitation. Ask somebody who has one to invite you."
      >
        <TextLink to="/sign-in">Sign in</TextLink>
      </Entry>
    );
  }
  if (instance.data?.mail === false) {
    return (
      <Entry
        title="Make an account"
        intro="For this a mail with a link is needed, and no mail leaves this Convoke. Ask whoever runs it to add you."
      >
        <TextLink to="/sign-in">Sign in</TextLink>
      </Entry>
    );
  }
  return <AskForAddress />;
}

function AskForAddress() {
  const [faults, setFaults] = useState<{ email?: string }>({});
  const ask = useMutation({ mutationFn: askToSignUp });
  const ref = useFirstFault(faults, ask.error);
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const email = textOf(new FormData(event.currentTarget), 'email').trim();
    setFaults(email === '' ? { email: 'Type your e-mail address.' } : {});
    if (email !== '' && !ask.isPending) ask.mutate(email);
  };
  if (ask.isSuccess) {
    return (
      <Entry
        title="Look into your mail"
        intro={`We have sent a mail to ${ask.variables}. Its link makes your account; it works for a day.`}
      >
        <Text c="dimmed" size="sm">
          Nothing there? Look among the unwanted mails, or{' '}
          <TextLink to="/sign-up" onClick={() => ask.reset()}>
            try another address
          </TextLink>
          .
        </Text>
      </Entry>
    );
  }
  const refused = ask.error instanceof Problem ? ask.error.of('email') : undefined;
  return (
    <Entry title="Make an account" intro="You get a mail with a link. No password yet.">
      <form ref={ref} onSubmit={submit} noValidate>
        <Stack gap="md">
          <Refused error={ask.error} fields={['email']} />
          <TextInput
            label="E-mail address"
            name="email"
            type="email"
            autoComplete="email"
            autoFocus
            error={faults.email ?? refused}
          />
          <Button type="submit" loading={ask.isPending} fullWidth>
            Send me the link
          </Button>
          <Text size="sm">
            Have an account already? <TextLink to="/sign-in">Sign in</TextLink>
          </Text>
        </Stack>
      </form>
    </Entry>
  );
}
