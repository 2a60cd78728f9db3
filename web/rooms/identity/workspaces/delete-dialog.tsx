import { Button, Group, Modal, Stack, Text, TextInput } from '@mantine/core';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { type FormEvent, useState } from 'react';
import { Problem } from '../../../kit/api.ts';
import { ErrorView } from '../../../kit/error-view.tsx';
import { useWorkspace } from '../../../kit/workspace.tsx';
import { meQuery } from '../api.ts';
import { deleteWorkspace } from './api.ts';

/** Asks for the short name: nobody deletes a workspace by a slip of the hand. */
export function DeleteDialog({ close }: { close: () => void }) {
  const { slug, name, api } = useWorkspace();
  const client = useQueryClient();
  const [typed, setTyped] = useState('');
  const remove = useMutation({
    mutationFn: () => deleteWorkspace(api, typed.trim()),
    onSuccess: () => client.invalidateQueries({ queryKey: meQuery.queryKey }),
  });
  const fault = remove.error instanceof Problem ? remove.error.of('slug') : undefined;
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (!remove.isPending) remove.mutate();
  };
  return (
    <Modal opened onClose={close} title={`Delete ${name}?`} closeButtonProps={{ 'aria-label': 'Close' }}>
      <form onSubmit={submit} noValidate>
        <Stack gap="md">
          {remove.error && fault === undefined && <ErrorView error={remove.error} />}
          <Text>
            It closes now for everybody, and nothing is sent any more. In 14 days it is gone for good, unless
            an owner keeps it.
          </Text>
          <TextInput
            label={`Type ${slug} to delete it`}
            value={typed}
            onChange={event => setTyped(event.currentTarget.value)}
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
            <Button type="submit" color="red" loading={remove.isPending}>
              Delete
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  );
}
