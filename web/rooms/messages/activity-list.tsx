import { Button, Stack, Tabs, Text } from '@mantine/core';
import { useInfiniteQuery } from '@tanstack/react-query';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { Empty } from '../../kit/empty.tsx';
import { ErrorView } from '../../kit/error-view.tsx';
import { Moment } from '../../kit/moment.tsx';
import { Page } from '../../kit/page.tsx';
import { RowLink, Rows } from '../../kit/rows.tsx';
import { StatusBadge } from '../../kit/status-badge.tsx';
import { Waiting } from '../../kit/waiting.tsx';
import { useWorkspace } from '../../kit/workspace.tsx';
import styles from './activity.module.css';
import { type Message, messagesQuery } from './api.ts';
import { type Outcome, outcomes } from './outcomes.ts';
import { outcomeWords, recipientName, statusLooks } from './words.ts';

export function ActivityList() {
  const { slug } = useWorkspace();
  const { outcome } = useSearch({ from: '/w/$slug/activity' });
  const navigate = useNavigate();
  const shown = outcome ?? 'all';
  const choose = (value: string | null) => {
    const chosen = outcomes.find(one => one === value);
    void navigate({ to: '/w/$slug/activity', params: { slug }, search: chosen ? { outcome: chosen } : {} });
  };
  return (
    <Page title="Activity">
      <Tabs value={shown} onChange={choose} activateTabWithKeyboard={false}>
        <Tabs.List mb="lg" className={styles.tabs}>
          <Tabs.Tab value="all">All</Tabs.Tab>
          {outcomes.map(one => (
            <Tabs.Tab key={one} value={one}>
              {outcomeWords[one]}
            </Tabs.Tab>
          ))}
        </Tabs.List>
        <Tabs.Panel value={shown}>
          <Messages key={shown} outcome={outcome} />
        </Tabs.Panel>
      </Tabs>
    </Page>
  );
}

function Messages({ outcome }: { outcome: Outcome | undefined }) {
  const workspace = useWorkspace();
  const query = useInfiniteQuery(messagesQuery(workspace, outcome));
  if (query.data === undefined) {
    return query.error ? (
      <ErrorView error={query.error} retry={() => void query.refetch()} />
    ) : (
      <Waiting what="messages" />
    );
  }
  const messages = query.data.pages.flatMap(page => page.data);
  if (messages.length === 0) return <Nothing outcome={outcome} />;
  return (
    <Stack gap="md">
      <Rows label="Messages">
        {messages.map(message => (
          <MessageRow key={message.id} message={message} slug={workspace.slug} />
        ))}
      </Rows>
      {query.hasNextPage && (
        <Button
          variant="default"
          loading={query.isFetchingNextPage}
          onClick={() => void query.fetchNextPage()}
        >
          Show older ones
        </Button>
      )}
    </Stack>
  );
}

function MessageRow({ message, slug }: { message: Message; slug: string }) {
  const { delivery } = message;
  return (
    <RowLink
      to="/w/$slug/activity/$id"
      params={{ slug, id: message.id }}
      title={recipientName(message.to)}
      meta={
        <>
          <Text span inherit lineClamp={1}>
            {message.content.text.body}
          </Text>
          {momentWord(message)} <Moment at={momentOf(message)} />
          {delivery.recipients !== null && delivery.recipients > 1 && delivery.sent_at !== null && (
            <>
              {' '}
              · on {delivery.delivered_count} of {delivery.recipients} phones
            </>
          )}
        </>
      }
      status={<StatusBadge look={statusLooks[delivery.status]} testId="delivery-status" />}
    />
  );
}

function Nothing({ outcome }: { outcome: Outcome | undefined }) {
  if (outcome === 'needs_you') {
    return (
      <Empty shape="saved" title="Nothing needs you">
        Messages that failed, were missed or ended unclear would stand here.
      </Empty>
    );
  }
  return (
    <Empty shape="quiet" title={outcome === undefined ? 'Nothing was sent yet' : 'Nothing here right now'}>
      {outcome === undefined
        ? 'Every message that Convoke takes appears here at once, with its whole journey. Plan a reminder to see the first.'
        : 'Messages come and go here as they travel.'}
    </Empty>
  );
}

function momentOf({ delivery }: Message): string {
  if (delivery.status === 'queued') return delivery.due_at;
  return delivery.ended_at ?? delivery.sent_at ?? delivery.in_flight_at ?? delivery.due_at;
}

function momentWord({ delivery }: Message): string {
  return delivery.status === 'queued' ? 'Due' : delivery.sent_at !== null ? 'Sent' : '';
}
