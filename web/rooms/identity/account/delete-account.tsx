import { Button, Group, List, Modal, Stack, Text, TextInput } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { type FormEvent, useState } from 'react';
import { Problem } from '../../../kit/api.ts';
import { useFirstFault } from '../../../kit/first-fault.ts';
import { PasswordInput } from '../../../kit/password-input.tsx';
import { toastDone } from '../../../kit/toast.tsx';
import { textOf } from '../form-text.ts';
import { Refused } from '../refused.tsx';
import { deleteAccount, secondFactorQuery } from './api.ts';

const FIELDS = ['password', 'code'] as const;

export function DeleteAccount() {
  const [asking, setAsking] = useState(false);
  return (
    <>
      <Group>
        <Button variant="light" color="red" onClick={() => setAsking(true)}>
          Delete your account
        </Button>
      </Group>
      {asking && <Confirm close={() => setAsking(false)} />}
    </>
  );
}

/** Says what goes and what stays, and wants to know that it is really the person. */
function Confirm({ close }: { close: () => void }) {
  const client = useQueryClient();
  const navigate = useNavigate();
  const withCode = useQuery(secondFactorQuery).data?.enabled === true;
  const [faults, setFaults] = useState<Partial<Record<(typeof FIELDS)[number], string>>>({});
  const work = useMutation({
    mutationFn: deleteAccount,
    onSuccess: async () => {
      await navigate({ to: '/sign-in', replace: true });
      client.clear();
      toastDone('Your account is deleted.');
    },
    // The factor may be newer than what this page knows of it.
    onError: () => client.invalidateQueries({ queryKey: secondFactorQuery.queryKey }),
  });
  const ref = useFirstFault(faults, work.error);
  const fault = (field: (typeof FIELDS)[number]) =>
    faults[field] ?? (work.error instanceof Problem ? work.error.of(field) : undefined);
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    const [password, code] = [textOf(form, 'password'), textOf(form, 'code').trim()];
    const lacks = {
      ...(password === '' ? { password: 'Type your password.' } : {}),
      ...(withCode && code === '' ? { code: 'Type a code.' } : {}),
    };
    setFaults(lacks);
    if (Object.keys(lacks).length > 0 || work.isPending) return;
    work.mutate({ password, ...(withCode ? { code } : {}) });
  };
  return (
    <Modal opened onClose={close} title="Delete your account?" closeButtonProps={{ 'aria-label': 'Close' }}>
      <form ref={ref} onSubmit={submit} noValidate>
        <Stack gap="md">
          <Refused error={work.error} fields={FIELDS.filter(field => withCode || field !== 'code')} />
          <Text>This cannot be undone.</Text>
          <List size="sm" spacing="xs">
            <List.Item>
              Your name, e-mail address, password and devices go, and with them the API keys and open
              invitations that you made.
            </List.Item>
            <List.Item>You are out of all workspaces at once, and somebody has to invite you anew.</List.Item>
            <List.Item>
              Channels, reminders and messages stay with their workspaces, and so does what you did there,
              without your name.
            </List.Item>
          </List>
          <PasswordInput
            label="Your password"
            name="password"
            autoComplete="current-password"
            error={fault('password')}
            data-autofocus
          />
          {withCode && (
            <TextInput
              label="Code of the app, or a recovery code"
              name="code"
              autoComplete="one-time-code"
              autoCapitalize="none"
              spellCheck={false}
              error={fault('code')}
            />
          )}
          <Group justify="flex-end">
            <Button variant="default" onClick={close}>
              Cancel
            </Button>
            <Button type="submit" color="red" loading={work.isPending}>
              Delete for good
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  );
}
