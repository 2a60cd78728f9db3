import { Button, Stack, Tabs, Text } from '@mantine/core';
import { useInfiniteQuery } from '@tanstack/react-query';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { useEffect, useRef } from 'react';
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
import { DecideInRow } from './decide.tsx';
import { type Outcome, outcomes } from './outcomes.ts';
import { isInDoubt } from './tries.ts';
import { waits } from './waits.ts';
import { lookOfDelivery, outcomeWords, recipientName } from './words.ts';

export function ActivityList() {
  const { slug } = useWorkspace();
  const { outcome } = useSearch({ from: '/w/$slug/activity' });
  const navigate = useNavigate();
  const shown = outcome ?? 'all';
  const tabs = useRef<HTMLDivElement>(null);
  // On phones the chosen one may stand beyond the edge.
  useEffect(() => {
    tabs.current
      ?.querySelector(`[data-outcome="${shown}"]`)
      ?.scrollIntoView({ block: 'nearest', inline: 'center' });
  }, [shown]);
  const choose = (value: string | null) => {
    const chosen = outcomes.find(one => one === value);
    void navigate({ to: '/w/$slug/activity', params: { slug }, search: chosen ? { outcome: chosen } : {} });
  };
  return (
    <Page title="Activity">
      <Tabs value={shown} onChange={choose} activateTabWithKeyboard={false}>
        <Tabs.List ref={tabs} mb="lg" className={styles.tabs}>
          <Tabs.Tab value="all" data-outcome="all">
            All
          </Tabs.Tab>
          {outcomes.map(one => (
            <Tabs.Tab key={one} value={one} data-outcome={one}>
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
          <MessageRow key={message.id} message={message} asks={outcome === 'needs_you'} />
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

function MessageRow({ message, asks }: { message: Message; asks: boolean }) {
  const { slug, can } = useWorkspace();
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
          {delivery.waiting_for !== null && <> · {waits[delivery.waiting_for].short}</>}
          {delivery.recipients !== null && delivery.recipients > 1 && delivery.sent_at !== null && (
            <>
              {' '}
              · on {delivery.delivered_count} of {delivery.recipients} phones
            </>
          )}
        </>
      }
      status={<StatusBadge look={lookOfDelivery(delivery)} testId="delivery-status" />}
      below={
        asks && delivery.status === 'unknown' && can('messages.send') ? (
          <DecideInRow message={message} />
        ) : undefined
      }
    />
  );
}

function Nothing({ outcome }: { outcome: Outcome | undefined }) {
  if (outcome === 'needs_you') {
    return (
      <Empty shape="saved" title="Nothing needs you">
        Messages that failed, were missed or got no answer would stand here.
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
  if (isUnanswered(delivery)) return delivery.in_flight_at ?? delivery.due_at;
  return delivery.ended_at ?? delivery.sent_at ?? delivery.in_flight_at ?? delivery.due_at;
}

function momentWord({ delivery }: Message): string {
  if (delivery.status === 'queued') return 'Due';
  if (isUnanswered(delivery)) return 'Handed over';
  return delivery.sent_at === null ? '' : 'Sent';
}

function isUnanswered(delivery: Message['delivery']): boolean {
  return delivery.status === 'unknown' || isInDoubt(delivery);
}
