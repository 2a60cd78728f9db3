import { Text } from '@mantine/core';
import { modals } from '@mantine/modals';

/** Asks before what cannot be undone: names the object and the consequence, offers Cancel and the verb. */
export function confirmThat(options: {
  title: string;
  consequence: string;
  verb: string;
  act: () => void;
}): void {
  modals.openConfirmModal({
    title: options.title,
    children: <Text>{options.consequence}</Text>,
    labels: { cancel: 'Cancel', confirm: options.verb },
    confirmProps: { color: 'red' },
    closeButtonProps: { 'aria-label': 'Close' },
    onConfirm: options.act,
  });
}
