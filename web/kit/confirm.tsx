import { Stack, Text } from '@mantine/core';
import { modals } from '@mantine/modals';

/** Asks before what cannot be undone: names the object and the consequence, offers Cancel and the verb. */
export function confirmThat(options: {
  title: string;
  /** The words of the object itself, where its name does not tell it from others. */
  about?: string;
  consequence: string;
  verb: string;
  /** Nothing is lost by it. */
  harmless?: boolean;
  act: () => void;
}): void {
  modals.openConfirmModal({
    title: options.title,
    children: (
      <Stack gap="sm">
        {options.about !== undefined && (
          <Text c="dimmed" lineClamp={2}>
            {options.about}
          </Text>
        )}
        <Text>{options.consequence}</Text>
      </Stack>
    ),
    labels: { cancel: 'Cancel', confirm: options.verb },
    confirmProps: options.harmless ? {} : { color: 'red' },
    closeButtonProps: { 'aria-label': 'Close' },
    onConfirm: options.act,
  });
}
