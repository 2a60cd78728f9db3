import { Button, Group, Text } from '@mantine/core';
import { notifications } from '@mantine/notifications';
import { IconAlertTriangle, IconCheck } from '@tabler/icons-react';
import { Problem } from './api.ts';

const UNDO_MS = 10_000;

/** Says that something was done, for ten seconds with a way back where there is one. */
export function toastDone(message: string, undo?: () => void): void {
  const id = notifications.show({
    message: undo ? (
      <Group justify="space-between" wrap="nowrap">
        <Text size="sm">{message}</Text>
        <Button
          size="compact-md"
          variant="default"
          onClick={() => {
            notifications.hide(id);
            undo();
          }}
        >
          Undo
        </Button>
      </Group>
    ) : (
      message
    ),
    color: 'green',
    icon: <IconCheck size="1.1em" aria-hidden />,
    autoClose: undo ? UNDO_MS : 4_000,
    withBorder: true,
    role: 'status',
    closeButtonProps: { 'aria-label': 'Close' },
  });
}

/** Says what did not work and why. */
export function toastProblem(title: string, error: unknown): void {
  notifications.show({
    title,
    message: error instanceof Problem ? error.message : 'Something unexpected happened. Try again.',
    color: 'red',
    icon: <IconAlertTriangle size="1.1em" aria-hidden />,
    autoClose: UNDO_MS,
    withBorder: true,
    role: 'alert',
    closeButtonProps: { 'aria-label': 'Close' },
  });
}
