import { Badge } from '@mantine/core';
import type { Icon } from '@tabler/icons-react';
import type { StatusColor } from './theme.ts';

/** How a status looks: never by its colour alone. */
export type StatusLook = { color: StatusColor; word: string; icon: Icon };

export function StatusBadge({ look, testId }: { look: StatusLook; testId?: string }) {
  const { color, word, icon: Picture } = look;
  return (
    <Badge
      color={color}
      leftSection={<Picture size="1em" aria-hidden />}
      data-testid={testId}
      style={{ flexShrink: 0 }}
    >
      {word}
    </Badge>
  );
}
