import { Button, Group, Modal, Stack, Text, Textarea } from '@mantine/core';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { type FormEvent, useState } from 'react';
import { Problem } from '../../../kit/api.ts';
import { ErrorView } from '../../../kit/error-view.tsx';
import { capitalised } from '../../../kit/time.ts';
import { toastDone } from '../../../kit/toast.tsx';
import { useWorkspace } from '../../../kit/workspace.tsx';
import { type Parkable, park, parkingsQuery } from './api.ts';
import { nameOf } from './words.ts';

const LONGEST_REASON = 500;

/** Asks why, because others will want to know why nothing goes out. */
export function Park({ what, close }: { what: Parkable; close: () => void }) {
  const workspace = useWorkspace();
  const client = useQueryClient();
  const [reason, setReason] = useState('');
  const [lacking, setLacking] = useState(false);

  const work = useMutation({
    mutationFn: () => park(workspace.api, what, reason.trim()),
    onSuccess: parkings => {
      client.setQueryData(parkingsQuery(workspace).queryKey, parkings);
      toastDone(`${capitalised(nameOf(what))} is parked. Messages wait.`);
      close();
    },
    onSettled: () => client.invalidateQueries({ queryKey: [workspace.slug] }),
  });
  const refused = work.error instanceof Problem ? work.error.of('reason') : undefined;

  const submit = (event: FormEvent) => {
    event.preventDefault();
    setLacking(reason.trim() === '');
    if (reason.trim() !== '' && !work.isPending) work.mutate();
  };

  return (
    <Modal
      opened
      onClose={close}
      title={`Park ${nameOf(what)}?`}
      closeButtonProps={{ 'aria-label': 'Close' }}
    >
      <form onSubmit={submit} noValidate>
        <Stack gap="md">
          {work.error && refused === undefined && <ErrorView error={work.error} />}
          <Text>
            From then on Convoke takes messages and keeps them; none of them leaves until somebody arms{' '}
            {nameOf(what)} again. Nothing is missed meanwhile.
          </Text>
          <Textarea
            label="Reason"
            description="Everybody in the workspace sees it."
            maxLength={LONGEST_REASON}
            autosize
            minRows={2}
            data-autofocus
            value={reason}
            onChange={event => {
              setReason(event.currentTarget.value);
              setLacking(false);
            }}
            error={refused ?? (lacking ? 'Say why, so that others understand it later.' : undefined)}
          />
          <Group justify="flex-end">
            <Button variant="default" onClick={close}>
              Cancel
            </Button>
            <Button type="submit" loading={work.isPending}>
              Park
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  );
}
