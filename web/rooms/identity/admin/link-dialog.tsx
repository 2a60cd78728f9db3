import { Button, Group, Modal, Stack } from '@mantine/core';
import { HandOn } from '../hand-on.tsx';

/** The way to a password, for one person. */
export function LinkDialog({ path, who, close }: { path: string; who: string; close: () => void }) {
  return (
    <Modal opened onClose={close} title={`A link for ${who}`} closeButtonProps={{ 'aria-label': 'Close' }}>
      <Stack gap="md">
        <HandOn
          label="Link"
          text={`${window.location.origin}${path}`}
          copy="Copy link"
          about={`Send it to ${who} and to nobody else: whoever opens it chooses the password. It works once, for a day, and is shown only now.`}
        />
        <Group justify="flex-end">
          <Button variant="default" onClick={close}>
            Done
          </Button>
        </Group>
      </Stack>
    </Modal>
  );
}
