import { Button, Group, Modal, Stack, Text, TextInput } from '@mantine/core';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { type FormEvent, useState } from 'react';
import { Problem } from '../../../kit/api.ts';
import { Refused } from '../refused.tsx';
import { addUser } from './api.ts';
import { LinkDialog } from './link-dialog.tsx';

/** A user without a password, and the link to choose one. */
export function NewUserDialog({ close }: { close: () => void }) {
  const client = useQueryClient();
  const [username, setUsername] = useState('');
  const add = useMutation({
    mutationFn: () => addUser(username.trim()),
    onSuccess: () => client.invalidateQueries({ queryKey: ['admin', 'users'] }),
  });
  if (add.data) return <LinkDialog path={add.data.link.path} who={username.trim()} close={close} />;
  const fault = add.error instanceof Problem ? add.error.of('username') : undefined;
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (!add.isPending) add.mutate();
  };
  return (
    <Modal opened onClose={close} title="Add a user" closeButtonProps={{ 'aria-label': 'Close' }}>
      <form onSubmit={submit} noValidate>
        <Stack gap="md">
          <Refused error={add.error} fields={['username']} />
          <Text>You get a link with which the person chooses a password.</Text>
          <TextInput
            label="Username"
            value={username}
            onChange={event => setUsername(event.currentTarget.value)}
            error={fault}
            autoComplete="off"
            autoCapitalize="none"
            spellCheck={false}
            data-autofocus
          />
          <Group justify="flex-end">
            <Button variant="default" onClick={close}>
              Cancel
            </Button>
            <Button type="submit" loading={add.isPending}>
              Add
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  );
}
