import { Button, Group, Modal, Stack, Text, TextInput } from '@mantine/core';
import { useMutation } from '@tanstack/react-query';
import { type FormEvent, useState } from 'react';
import { Problem } from '../../kit/api.ts';
import { toastDone } from '../../kit/toast.tsx';
import { Refused } from './refused.tsx';

type Props = {
  title: string;
  consequence: string;
  /** What has to be typed once more. */
  word: string;
  verb: string;
  act: (typed: string) => Promise<unknown>;
  /** What to say afterwards, where the page does not show it. */
  done?: string;
  settled: () => unknown;
  close: () => void;
};

/** For what is gone afterwards: nobody does it by a slip of the hand. */
export function TypedDialog({ title, consequence, word, verb, act, done, settled, close }: Props) {
  const [typed, setTyped] = useState('');
  const run = useMutation({
    mutationFn: () => act(typed.trim()),
    onSuccess: () => {
      if (done !== undefined) toastDone(done);
      close();
    },
    onSettled: () => settled(),
  });
  const fault = run.error instanceof Problem ? run.error.fields[0]?.detail : undefined;
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (!run.isPending) run.mutate();
  };
  return (
    <Modal opened onClose={close} title={title} closeButtonProps={{ 'aria-label': 'Close' }}>
      <form onSubmit={submit} noValidate>
        <Stack gap="md">
          {fault === undefined && <Refused error={run.error} />}
          <Text>{consequence}</Text>
          <TextInput
            label={`Type ${word} once more`}
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
            <Button type="submit" color="red" loading={run.isPending}>
              {verb}
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  );
}
