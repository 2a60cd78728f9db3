import { Button, Group, Select, Stack, Text } from '@mantine/core';
import { IconDownload } from '@tabler/icons-react';
import { useInfiniteQuery } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { Details, ErrorView } from '../../../kit/error-view.tsx';
import { Moment } from '../../../kit/moment.tsx';
import { Row, Rows } from '../../../kit/rows.tsx';
import { Waiting } from '../../../kit/waiting.tsx';
import type { FactsQuery, LoggedFact } from './api.ts';
import { actorWords, changesOf, factWords, type Kind } from './words.ts';

type Choice = { kinds: Kind[]; type: string | undefined; set: (type: string | undefined) => void };

/** What to look at apart; `children` are further filters. */
export function FactFilters({ kinds, type, set, children }: Choice & { children?: ReactNode }) {
  return (
    <Group gap="sm">
      <Select
        aria-label="About"
        placeholder="About everything"
        data={kinds}
        value={type ?? null}
        onChange={chosen => set(chosen ?? undefined)}
        clearable
        clearButtonProps={{ 'aria-label': 'About everything' }}
      />
      {children}
    </Group>
  );
}

/** The same facts as a file. */
export function CsvButton({ href }: { href: string }) {
  return (
    <Button
      component="a"
      href={href}
      download
      variant="default"
      leftSection={<IconDownload size="1.2em" aria-hidden />}
    >
      CSV
    </Button>
  );
}

/** Page after page, newest first. */
export function Facts({ query: options }: { query: FactsQuery }) {
  const query = useInfiniteQuery(options);
  if (query.error) return <ErrorView error={query.error} retry={() => void query.refetch()} />;
  if (!query.data) return <Waiting what="what happened" />;
  const facts = query.data.pages.flatMap(page => page.data);
  if (facts.length === 0) return <Text c="dimmed">Nothing of this kind has happened.</Text>;
  return (
    <Stack gap="md">
      <Rows label="What happened">
        {facts.map(fact => (
          <FactRow key={fact.id} fact={fact} />
        ))}
      </Rows>
      {query.hasNextPage && (
        <Group>
          <Button
            variant="default"
            loading={query.isFetchingNextPage}
            onClick={() => void query.fetchNextPage()}
          >
            Older
          </Button>
        </Group>
      )}
    </Stack>
  );
}

function FactRow({ fact }: { fact: LoggedFact }) {
  const changes = changesOf(fact.payload);
  return (
    <Row
      title={factWords(fact.type)}
      meta={
        <Stack gap={0}>
          <span>
            {actorWords(fact)} · <Moment at={fact.occurred_at} />
            {fact.address !== null && ` · from ${fact.address}`}
          </span>
          {changes.map(({ field, before, after }) => (
            <Text span inherit key={field} c="var(--mantine-color-text)">
              {field}: {before} → {after}
            </Text>
          ))}
          <Details
            lines={[
              ['Type', fact.type],
              [fact.subject.type, fact.subject.id],
              ...(changes.length === 0 && fact.payload !== null
                ? ([['Payload', JSON.stringify(fact.payload)]] as [string, string][])
                : []),
            ]}
          />
        </Stack>
      }
    />
  );
}
