import { Stack, Text, Title } from '@mantine/core';
import type { ReactNode } from 'react';
import { Shape, type ShapeName } from './shapes.tsx';

/** Nothing here yet: one picture, one sentence that says what to do next, one button. */
export function Empty({
  shape,
  title,
  children,
  action,
}: {
  shape: ShapeName;
  title: string;
  children?: ReactNode;
  action?: ReactNode;
}) {
  return (
    <Stack align="center" gap="md" py="xl" px="md" className="convoke-arrive">
      <Shape name={shape} />
      <Stack align="center" gap="xs" maw="30rem">
        <Title order={2} ta="center">
          {title}
        </Title>
        {children !== undefined && (
          <Text ta="center" c="dimmed" component="div">
            {children}
          </Text>
        )}
      </Stack>
      {action}
    </Stack>
  );
}
