import { Button, Stack, Text, TextInput } from '@mantine/core';
import { useDebouncedValue } from '@mantine/hooks';
import { IconSearch } from '@tabler/icons-react';
import type { InfiniteData, UseInfiniteQueryResult } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { useState } from 'react';
import type { Page } from '../../../kit/api.ts';
import { ErrorView } from '../../../kit/error-view.tsx';
import { Rows } from '../../../kit/rows.tsx';

/** What stands in the field, and what is searched for: a little later, so that not every key asks the server. */
export function useSearch(): { typed: string; sought: string; type: (text: string) => void } {
  const [typed, type] = useState('');
  const [sought] = useDebouncedValue(typed.trim(), 300);
  return { typed, sought, type };
}

export function SearchField({
  label,
  value,
  set,
}: {
  label: string;
  value: string;
  set: (text: string) => void;
}) {
  return (
    <TextInput
      aria-label={label}
      placeholder={label}
      leftSection={<IconSearch size="1.1em" aria-hidden />}
      value={value}
      onChange={event => set(event.currentTarget.value)}
    />
  );
}

type Props<T> = {
  label: string;
  query: UseInfiniteQueryResult<InfiniteData<Page<T>>>;
  children: (item: T) => ReactNode;
};

/** Page after page of what was found. */
export function Found<T>({ label, query, children }: Props<T>) {
  if (query.error) return <ErrorView error={query.error} retry={() => void query.refetch()} />;
  if (!query.data) return <Text c="dimmed">Looking it up.</Text>;
  const items = query.data.pages.flatMap(page => page.data);
  if (items.length === 0) return <Text c="dimmed">Nothing like that. Search for something else.</Text>;
  return (
    <Stack gap="md" align="stretch">
      <Rows label={label}>{items.map(children)}</Rows>
      {query.hasNextPage && (
        <Button
          variant="default"
          loading={query.isFetchingNextPage}
          onClick={() => void query.fetchNextPage()}
        >
          More
        </Button>
      )}
    </Stack>
  );
}
