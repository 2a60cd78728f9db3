import { Group, Text } from '@mantine/core';

/** Two arcs calling to a point. */
export function Mark({ size = '1.75rem' }: { size?: string }) {
  return (
    <svg
      viewBox="0 0 32 32"
      style={{ width: size, height: size }}
      fill="none"
      stroke="var(--mantine-color-anchor)"
      strokeWidth="3.2"
      strokeLinecap="round"
      aria-hidden
    >
      <path d="M25.2 6.9a13 13 0 1 0 0 18.2" />
      <path d="M20.6 11.4a6.5 6.5 0 1 0 0 9.2" />
      <circle cx="16" cy="16" r="2.4" fill="var(--mantine-color-anchor)" stroke="none" />
    </svg>
  );
}

export function Wordmark() {
  return (
    <Group gap="xs" wrap="nowrap">
      <Mark />
      <Text fw={700} size="xl" lh={1} component="span">
        convoke
      </Text>
    </Group>
  );
}
