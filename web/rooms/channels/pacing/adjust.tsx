import { Button, Group, Modal, NumberInput, Stack, Text } from '@mantine/core';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { type FormEvent, useState } from 'react';
import { Problem } from '../../../kit/api.ts';
import { ErrorView } from '../../../kit/error-view.tsx';
import { toastDone } from '../../../kit/toast.tsx';
import { useWorkspace } from '../../../kit/workspace.tsx';
import { changePacing, type Pacing, pacingQuery } from './api.ts';
import { changeOf, faultsOf, settings, type Typed } from './limits.ts';

type Props = { pacing: Pacing; label: string; close: () => void };

/** The limits, each within its bounds and beside what is advised. */
export function Adjust({ pacing, label, close }: Props) {
  const workspace = useWorkspace();
  const client = useQueryClient();
  // What the fields began with: the page behind goes on looking, and a change must not build on what nobody has read.
  const [opened] = useState(pacing);
  const [typed, setTyped] = useState<Typed>(opened.settings);
  const [tried, setTried] = useState(false);
  const { queryKey } = pacingQuery(workspace, pacing.channel_id);

  const save = useMutation({
    mutationFn: () => changePacing(workspace.api, opened, changeOf(typed, opened)),
    onSuccess: changed => {
      client.setQueryData(queryKey, changed);
      toastDone(`The pace of ${label} is changed.`);
      close();
    },
    onSettled: () => client.invalidateQueries({ queryKey }),
  });
  const faults = faultsOf(typed, opened.bounds);
  const faster = save.error instanceof Problem && save.error.code === 'version_conflict';

  const submit = (event: FormEvent) => {
    event.preventDefault();
    setTried(true);
    if (Object.keys(faults).length > 0 || save.isPending) return;
    if (Object.keys(changeOf(typed, opened)).length === 0) close();
    else save.mutate();
  };

  return (
    <Modal opened onClose={close} title={`Pace of ${label}`} closeButtonProps={{ 'aria-label': 'Close' }}>
      <form onSubmit={submit} noValidate>
        <Stack gap="md">
          {save.error && <ErrorView error={save.error} />}
          {faster && <Text>Close this and open it again to see the pace as it is now.</Text>}
          <Text>Slower is safer. Nothing here guarantees that WhatsApp leaves a number alone.</Text>
          {settings.map(([setting, name, about]) => (
            <NumberInput
              key={setting}
              label={name}
              description={`${about} Advised: ${opened.advised[setting]}, at most ${opened.bounds[setting].most}.`}
              allowDecimal={false}
              allowNegative={false}
              clampBehavior="none"
              min={opened.bounds[setting].least}
              max={opened.bounds[setting].most}
              value={typed[setting]}
              error={tried ? faults[setting] : undefined}
              onChange={value => setTyped({ ...typed, [setting]: value })}
            />
          ))}
          <Group justify="space-between">
            <Button variant="subtle" onClick={() => setTyped(opened.advised)}>
              As advised
            </Button>
            <Group gap="sm">
              <Button variant="default" onClick={close}>
                Cancel
              </Button>
              <Button type="submit" loading={save.isPending} disabled={faster}>
                Save
              </Button>
            </Group>
          </Group>
        </Stack>
      </form>
    </Modal>
  );
}
