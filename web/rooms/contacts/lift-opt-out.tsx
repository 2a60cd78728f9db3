import { Button, Group, Modal, Stack, Text, Textarea } from '@mantine/core';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { type FormEvent, useState } from 'react';
import { Problem } from '../../kit/api.ts';
import { ErrorView } from '../../kit/error-view.tsx';
import { toastDone } from '../../kit/toast.tsx';
import { useWorkspace } from '../../kit/workspace.tsx';
import { liftOptOut, type OptOut } from './api.ts';
import { personName } from './words.ts';

const LONGEST_REASON = 500;

/** Asks why, because it undoes what a person has asked for. */
export function LiftOptOut({ optOut, close }: { optOut: OptOut; close: () => void }) {
  const { slug, api } = useWorkspace();
  const client = useQueryClient();
  const [reason, setReason] = useState('');
  const [lacking, setLacking] = useState(false);
  const who = personName(optOut);

  const lift = useMutation({
    mutationFn: () => liftOptOut(api, optOut.id, reason.trim()),
    onSuccess: () => {
      toastDone(`${who} can be written to again.`);
      close();
    },
    onSettled: () => client.invalidateQueries({ queryKey: [slug, 'contacts'] }),
  });
  const refused = lift.error instanceof Problem ? lift.error.of('reason') : undefined;

  const submit = (event: FormEvent) => {
    event.preventDefault();
    setLacking(reason.trim() === '');
    if (reason.trim() !== '' && !lift.isPending) lift.mutate();
  };

  return (
    <Modal
      opened
      onClose={close}
      title={`Write to ${who} again?`}
      closeButtonProps={{ 'aria-label': 'Close' }}
    >
      <form onSubmit={submit} noValidate>
        <Stack gap="md">
          {lift.error && refused === undefined && <ErrorView error={lift.error} />}
          <Text>
            {optOut.how === 'message' ? 'This person has asked for no more messages. ' : ''}
            Lift it only if they have asked to be written to again.
          </Text>
          <Textarea
            label="Reason"
            description="It stays in the activity, with who wrote it."
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
            <Button type="submit" loading={lift.isPending}>
              Lift opt-out
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  );
}
