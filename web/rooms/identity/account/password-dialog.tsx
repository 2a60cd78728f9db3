import { Button, Group, Modal, Stack } from '@mantine/core';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { type FormEvent, useState } from 'react';
import { Problem } from '../../../kit/api.ts';
import { useFirstFault } from '../../../kit/first-fault.ts';
import { PasswordInput } from '../../../kit/password-input.tsx';
import { toastDone } from '../../../kit/toast.tsx';
import { textOf } from '../form-text.ts';
import { NewPassword, passwordFault } from '../new-password.tsx';
import { changePassword } from '../people/api.ts';
import { Refused } from '../refused.tsx';
import { loginsQuery } from './api.ts';

export function PasswordDialog({ close }: { close: () => void }) {
  const client = useQueryClient();
  const [faults, setFaults] = useState<{ current?: string; new?: string }>({});
  const change = useMutation({
    mutationFn: (given: { current: string; chosen: string }) => changePassword(given.current, given.chosen),
    onSuccess: () => {
      toastDone('Your password is changed. On all other devices you are signed out.');
      void client.invalidateQueries({ queryKey: loginsQuery.queryKey });
      close();
    },
  });
  const ref = useFirstFault(faults, change.error);
  const fault = (field: 'current' | 'new') =>
    faults[field] ?? (change.error instanceof Problem ? change.error.of(field) : undefined);
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    const [current, chosen] = [textOf(form, 'current'), textOf(form, 'new')];
    const short = passwordFault(chosen);
    setFaults({
      ...(current === '' ? { current: 'Type the password that you have now.' } : {}),
      ...(short === undefined ? {} : { new: short }),
    });
    if (current !== '' && short === undefined && !change.isPending) change.mutate({ current, chosen });
  };
  return (
    <Modal opened onClose={close} title="Change your password" closeButtonProps={{ 'aria-label': 'Close' }}>
      <form ref={ref} onSubmit={submit} noValidate>
        <Stack gap="md">
          <Refused error={change.error} fields={['current', 'new']} />
          <PasswordInput
            label="Password that you have now"
            name="current"
            autoComplete="current-password"
            error={fault('current')}
            data-autofocus
          />
          <NewPassword name="new" label="New password" error={fault('new')} />
          <Group justify="flex-end">
            <Button variant="default" onClick={close}>
              Cancel
            </Button>
            <Button type="submit" loading={change.isPending}>
              Change password
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  );
}
