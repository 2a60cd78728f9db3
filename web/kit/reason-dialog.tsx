import { Button, Group, Modal, Stack, Text, Textarea } from '@mantine/core';
import { useMutation } from '@tanstack/react-query';
import { type FormEvent, type ReactNode, useState } from 'react';
import { Problem } from './api.ts';
import { ErrorView } from './error-view.tsx';

const LONGEST_REASON = 500;

type Props = {
  title: string;
  /** What it means. */
  about: ReactNode;
  /** Who will read the reason. */
  readers: string;
  verb: string;
  act: (reason: string) => Promise<unknown>;
  settled: () => unknown;
  close: () => void;
};

/** For what others will ask about later: it is not done without saying why. */
export function ReasonDialog({ title, about, readers, verb, act, settled, close }: Props) {
  const [reason, setReason] = useState('');
  const [lacking, setLacking] = useState(false);
  const work = useMutation({
    mutationFn: () => act(reason.trim()),
    onSuccess: () => close(),
    onSettled: () => settled(),
  });
  const refused = work.error instanceof Problem ? work.error.of('reason') : undefined;
  const submit = (event: FormEvent) => {
    event.preventDefault();
    setLacking(reason.trim() === '');
    if (reason.trim() !== '' && !work.isPending) work.mutate();
  };
  return (
    <Modal opened onClose={close} title={title} closeButtonProps={{ 'aria-label': 'Close' }}>
      <form onSubmit={submit} noValidate>
        <Stack gap="md">
          {work.error && refused === undefined && <ErrorView error={work.error} />}
          <Text>{about}</Text>
          <Textarea
            label="Reason"
            description={readers}
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
              {verb}
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  );
}
