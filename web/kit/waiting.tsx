import { Paper, Skeleton, Stack, Text, VisuallyHidden } from '@mantine/core';
import type { UseQueryResult } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { ErrorView } from './error-view.tsx';

/** Skeletons after a moment, and after a while the words that say what is being waited for. */
export function Waiting({ what, rows = 3 }: { what: string; rows?: number }) {
  return (
    <div role="status">
      <VisuallyHidden>Loading {what}</VisuallyHidden>
      <Stack gap="sm" className="convoke-after-a-moment" aria-hidden>
        {Array.from({ length: rows }, (_, row) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: rows without content have nothing else to be known by
          <Paper key={row} p="md">
            <Skeleton height="1rem" width="45%" />
            <Skeleton height="0.75rem" width="70%" mt="sm" />
          </Paper>
        ))}
        <Text c="dimmed" size="sm" ta="center" className="convoke-after-a-while">
          Still waiting for {what}…
        </Text>
      </Stack>
    </div>
  );
}

/** The three faces of what is read from the server. */
export function Loaded<T>(props: {
  query: UseQueryResult<T>;
  /** Completes "Loading …". */
  what: string;
  rows?: number;
  children: (data: T) => ReactNode;
}) {
  const { query, what, rows = 3, children } = props;
  if (query.data !== undefined) return children(query.data);
  if (query.error) return <ErrorView error={query.error} retry={() => void query.refetch()} />;
  return <Waiting what={what} rows={rows} />;
}
