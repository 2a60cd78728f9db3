import { Alert, Button, Group, Modal, Stack, Text, TextInput } from '@mantine/core';
import { useMutation, useQuery } from '@tanstack/react-query';
import { type FormEvent, useState } from 'react';
import { Problem } from '../../../kit/api.ts';
import { useFirstFault } from '../../../kit/first-fault.ts';
import { PasswordInput } from '../../../kit/password-input.tsx';
import { textOf } from '../form-text.ts';
import { askToChangeEmail, instanceQuery } from '../people/api.ts';
import { Refused } from '../refused.tsx';

/** The address counts once the link in the mail to it was followed. */
export function EmailDialog({ close }: { close: () => void }) {
  const [lacks, setLacks] = useState<{ email?: string; password?: string }>({});
  const ask = useMutation({
    mutationFn: (given: { email: string; password: string }) => askToChangeEmail(given.email, given.password),
  });
  const mailLeaves = useQuery(instanceQuery).data?.mail !== false;
  const ref = useFirstFault(lacks, ask.error);
  const fault = (field: 'email' | 'password') =>
    lacks[field] ?? (ask.error instanceof Problem ? ask.error.of(field) : undefined);
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    const [email, password] = [textOf(form, 'email').trim(), textOf(form, 'password')];
    const missing = {
      ...(email === '' ? { email: 'Type the new address.' } : {}),
      ...(password === '' ? { password: 'Type your password.' } : {}),
    };
    setLacks(missing);
    if (Object.keys(missing).length === 0 && !ask.isPending) ask.mutate({ email, password });
  };
  return (
    <Modal opened onClose={close} title="Your e-mail address" closeButtonProps={{ 'aria-label': 'Close' }}>
      {ask.isSuccess ? (
        <Stack gap="md">
          <Text>
            We have sent a mail to {ask.variables.email}. Follow its link while you are signed in here; until
            then nothing changes.
          </Text>
          <Group justify="flex-end">
            <Button onClick={close}>Done</Button>
          </Group>
        </Stack>
      ) : (
        <form ref={ref} onSubmit={submit} noValidate>
          <Stack gap="md">
            <Refused error={ask.error} fields={['email', 'password']} />
            {!mailLeaves && (
              <Alert color="orange">
                For this a mail with a link is needed, and no mail leaves this Convoke. Ask whoever runs it.
              </Alert>
            )}
            <TextInput
              label="New address"
              name="email"
              type="email"
              autoComplete="email"
              error={fault('email')}
              data-autofocus
            />
            <PasswordInput
              label="Your password"
              name="password"
              autoComplete="current-password"
              error={fault('password')}
            />
            <Group justify="flex-end">
              <Button variant="default" onClick={close}>
                Cancel
              </Button>
              <Button type="submit" loading={ask.isPending}>
                Send the link
              </Button>
            </Group>
          </Stack>
        </form>
      )}
    </Modal>
  );
}
