import { Button, Group, Select, Stack, Text } from '@mantine/core';
import { IconDownload } from '@tabler/icons-react';
import { useInfiniteQuery, useQuery } from '@tanstack/react-query';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { Details, ErrorView } from '../../../kit/error-view.tsx';
import { TextLink } from '../../../kit/links.tsx';
import { Moment } from '../../../kit/moment.tsx';
import { Page } from '../../../kit/page.tsx';
import { Row, Rows } from '../../../kit/rows.tsx';
import { useWorkspace } from '../../../kit/workspace.tsx';
import { membersQuery } from '../workspaces/api.ts';
import { memberName } from '../workspaces/words.ts';
import { type AuditFilter, auditQuery, exportAddress, type LoggedFact } from './api.ts';
import { actorWords, changesOf, factWords, kinds } from './words.ts';

/** Who did what, when and from where. Nothing here can be changed. */
export function AuditPage() {
  const workspace = useWorkspace();
  const filter = useSearch({ from: '/w/$slug/settings/audit' });
  return (
    <Page
      title="Audit"
      back={
        <TextLink to="/w/$slug/settings" params={{ slug: workspace.slug }}>
          Settings
        </TextLink>
      }
      others={
        <Button
          component="a"
          href={exportAddress(workspace.slug, filter)}
          download
          variant="default"
          leftSection={<IconDownload size="1.2em" aria-hidden />}
        >
          CSV
        </Button>
      }
    >
      <Stack gap="md">
        <Filters filter={filter} />
        <Facts filter={filter} />
      </Stack>
    </Page>
  );
}

function Filters({ filter }: { filter: AuditFilter }) {
  const workspace = useWorkspace();
  const navigate = useNavigate({ from: '/w/$slug/settings/audit' });
  const members = useQuery(membersQuery(workspace)).data ?? [];
  const set = (change: { type?: string | undefined; actor?: string | undefined }) => {
    const { type, actor } = { ...filter, ...change };
    void navigate({ search: { ...(type ? { type } : {}), ...(actor ? { actor } : {}) }, replace: true });
  };
  return (
    <Group gap="sm">
      <Select
        aria-label="About"
        placeholder="About everything"
        data={kinds}
        value={filter.type ?? null}
        onChange={type => set({ type: type ?? undefined })}
        clearable
        clearButtonProps={{ 'aria-label': 'About everything' }}
      />
      <Select
        aria-label="By"
        placeholder="By everybody"
        data={members.map(member => ({ value: member.user.id, label: memberName(member) }))}
        value={filter.actor ?? null}
        onChange={actor => set({ actor: actor ?? undefined })}
        clearable
        clearButtonProps={{ 'aria-label': 'By everybody' }}
      />
    </Group>
  );
}

function Facts({ filter }: { filter: AuditFilter }) {
  const query = useInfiniteQuery(auditQuery(useWorkspace(), filter));
  if (query.error) return <ErrorView error={query.error} retry={() => void query.refetch()} />;
  if (!query.data) return <Text c="dimmed">Looking it up.</Text>;
  const facts = query.data.pages.flatMap(page => page.data);
  if (facts.length === 0) return <Text c="dimmed">Nothing of this kind has happened.</Text>;
  return (
    <Stack gap="md" align="flex-start">
      <Stack w="100%">
        <Rows label="What happened">
          {facts.map(fact => (
            <FactRow key={fact.id} fact={fact} />
          ))}
        </Rows>
      </Stack>
      {query.hasNextPage && (
        <Button
          variant="default"
          loading={query.isFetchingNextPage}
          onClick={() => void query.fetchNextPage()}
        >
          Older
        </Button>
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
