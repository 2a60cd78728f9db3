import { Button, Group, Modal, Radio, Stack, Text } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { type FormEvent, useState } from 'react';
import { Problem } from '../../../kit/api.ts';
import { ErrorView } from '../../../kit/error-view.tsx';
import { capitalised } from '../../../kit/time.ts';
import { toastDone, toastProblem } from '../../../kit/toast.tsx';
import { useWorkspace } from '../../../kit/workspace.tsx';
import { arm, type Overdue, type Parkable, type Parking, parkingsQuery } from './api.ts';
import { keptWords, nameOf, parkingOf, wider } from './words.ts';

/** Shows what has piled up, and asks what becomes of messages whose time has passed. */
export function Arm({ what, close }: { what: Parkable; close: () => void }) {
  const workspace = useWorkspace();
  const client = useQueryClient();
  const parkings = useQuery(parkingsQuery(workspace)).data;
  const parking = parkingOf(parkings, what);
  const [overdue, setOverdue] = useState<Overdue>();
  const [lacking, setLacking] = useState(false);

  const work = useMutation({
    mutationFn: (choice: Overdue | undefined) => arm(workspace.api, what, choice),
    onSuccess: left => {
      client.setQueryData(parkingsQuery(workspace).queryKey, left);
      const name = capitalised(nameOf(what));
      const goesOn = 'is armed as soon as all of the late messages are decided about.';
      toastDone(`${name} ${parkingOf(left, what) ? goesOn : 'is armed.'}`);
      close();
    },
    onError: problem => {
      if (!(problem instanceof Problem) || problem.status !== 409) return;
      toastProblem('Somebody was faster', problem);
      close();
    },
    onSettled: () => client.invalidateQueries({ queryKey: [workspace.slug] }),
  });
  // Time goes on while the question stands: what was in time may be late by now.
  const refused = work.error instanceof Problem ? work.error.of('overdue') : undefined;
  const late = parking?.overdue ?? 0;
  const asks = late > 0 || refused !== undefined;

  const submit = (event: FormEvent) => {
    event.preventDefault();
    setLacking(asks && overdue === undefined);
    if ((asks && overdue === undefined) || work.isPending) return;
    work.mutate(overdue);
  };

  return (
    <Modal opened onClose={close} title={`Arm ${nameOf(what)}?`} closeButtonProps={{ 'aria-label': 'Close' }}>
      <form onSubmit={submit} noValidate>
        <Stack gap="md">
          {work.error && refused === undefined && <ErrorView error={work.error} />}
          {parking && (
            <Text>
              {keptWords(parking)} {parking.waiting > late && 'What is still in time goes out at once.'}
            </Text>
          )}
          <Others wider={wider(parkings, what)} />
          {asks && (
            <Radio.Group
              label="What shall become of the late ones?"
              value={overdue ?? null}
              error={overdue === undefined && lacking ? 'Choose one of the two.' : undefined}
              onChange={value => setOverdue(value as Overdue)}
            >
              <Stack gap="sm" my="sm">
                <Radio
                  size="md"
                  value="send"
                  label="Send them now"
                  description="They go out late. See that what they say still holds."
                />
                <Radio
                  size="md"
                  value="miss"
                  label="Mark them as missed"
                  description="They are never sent, and stand under “Needs you”."
                />
              </Stack>
            </Radio.Group>
          )}
          <Group justify="flex-end">
            <Button variant="default" onClick={close}>
              Cancel
            </Button>
            <Button type="submit" loading={work.isPending}>
              Arm
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  );
}

/** Arming this alone sends nothing while something around it is parked. */
function Others({ wider: others }: { wider: Parking[] }) {
  const [first] = others;
  if (!first) return null;
  const who = first.of === 'instance' ? 'the operator has parked this Convoke' : 'the workspace is parked';
  return <Text c="dimmed">Nothing leaves yet: {who} as well, and has to be armed, too.</Text>;
}
