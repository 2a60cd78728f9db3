import { Stack, Text, Title } from '@mantine/core';
import type { ReactNode } from 'react';
import { Shape, type ShapeName } from './shapes.tsx';

type Props = {
  shape: ShapeName;
  title: string;
  /** 1 where it is the whole page. */
  order?: 1 | 2;
  children?: ReactNode;
  action?: ReactNode;
};

/** Nothing here yet: one picture, one sentence that says what to do next, one button. */
export function Empty({ shape, title, order = 2, children, action }: Props) {
  return (
    <Stack align="center" gap="md" py="xl" px="md" className="convoke-arrive">
      <Shape name={shape} />
      <Stack align="center" gap="xs" maw="var(--convoke-sentence)">
        <Title order={order} size="h2" ta="center">
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
