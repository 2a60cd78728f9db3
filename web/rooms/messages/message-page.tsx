import { Button, Paper, SimpleGrid, Stack, Text, Title } from '@mantine/core';
import { IconBan } from '@tabler/icons-react';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useParams } from '@tanstack/react-router';
import { Details } from '../../kit/error-view.tsx';
import { TextLink } from '../../kit/links.tsx';
import { Moment } from '../../kit/moment.tsx';
import { Page } from '../../kit/page.tsx';
import { StatusBadge } from '../../kit/status-badge.tsx';
import { exact } from '../../kit/time.ts';
import { toastDone, toastProblem } from '../../kit/toast.tsx';
import { Loaded } from '../../kit/waiting.tsx';
import { useWorkspace } from '../../kit/workspace.tsx';
import { cancelMessage, type MessageDetail, messageQuery } from './api.ts';
import { Decide } from './decide.tsx';
import { MessageText } from './message-text.tsx';
import { Receipts } from './receipts.tsx';
import { Timeline } from './timeline.tsx';
import { lookOfDelivery, recipientName } from './words.ts';

export function MessagePage() {
  const { id } = useParams({ from: '/w/$slug/activity/$id' });
  const workspace = useWorkspace();
  const query = useQuery(messageQuery(workspace, id));
  const message = query.data;
  return (
    <Page
      title={message ? recipientName(message.to) : 'Message'}
      back={
        <TextLink to="/w/$slug/activity" params={{ slug: workspace.slug }}>
          Activity
        </TextLink>
      }
      beside={message && <StatusBadge look={lookOfDelivery(message.delivery)} testId="delivery-status" />}
      action={
        message?.delivery.status === 'queued' && workspace.can('messages.send') ? (
          <Cancel message={message} />
        ) : undefined
      }
    >
      <Loaded query={query} what="the message">
        {found => <Journey message={found} />}
      </Loaded>
    </Page>
  );
}

function Journey({ message }: { message: MessageDetail }) {
  return (
    <Stack gap="lg">
      {message.delivery.status === 'unknown' && <Decide message={message} />}
      <Parts message={message} />
    </Stack>
  );
}

function Parts({ message }: { message: MessageDetail }) {
  return (
    <SimpleGrid cols={{ base: 1, md: 2 }} spacing="lg" style={{ alignItems: 'start' }}>
      <Paper p={{ base: 'md', sm: 'xl' }} component="section" aria-label="Journey">
        <Stack gap="lg">
          {message.delivery.status === 'queued' && (
            <Text>
              {message.delivery.waiting_for === null ? 'Goes out' : 'It was due'}{' '}
              <Moment at={message.delivery.due_at} />.
            </Text>
          )}
          <Timeline message={message} />
          <Details lines={detailsOf(message)} />
        </Stack>
      </Paper>
      <Stack gap="lg">
        <Paper p={{ base: 'md', sm: 'xl' }} component="section" aria-label="Message">
          <Stack gap="sm">
            <Title order={2}>Message</Title>
            <MessageText text={message.content.text.body} />
            <Source message={message} />
          </Stack>
        </Paper>
        <Receipts message={message} />
      </Stack>
    </SimpleGrid>
  );
}

function Source({ message }: { message: MessageDetail }) {
  const { slug } = useWorkspace();
  return (
    <Text size="sm" c="dimmed">
      From{' '}
      <TextLink to="/w/$slug/channels/$id" params={{ slug, id: message.channel_id }} inherit>
        {message.channel_label}
      </TextLink>
      {message.source === 'reminder' && message.source_id !== null ? (
        <>
          , by a{' '}
          <TextLink to="/w/$slug/reminders/$id" params={{ slug, id: message.source_id }} inherit>
            reminder
          </TextLink>
        </>
      ) : message.source === 'consent' ? (
        ', as the answer to STOP or START'
      ) : (
        ', by the API'
      )}
    </Text>
  );
}

function Cancel({ message }: { message: MessageDetail }) {
  const { slug, api } = useWorkspace();
  const client = useQueryClient();
  const cancel = useMutation({
    mutationFn: () => cancelMessage(api, message.id),
    onSuccess: () => toastDone('The message is cancelled. Nothing was sent.'),
    onError: problem => toastProblem('The message was not cancelled', problem),
    onSettled: () => client.invalidateQueries({ queryKey: [slug, 'messages'] }),
  });
  return (
    <Button
      variant="default"
      leftSection={<IconBan size="1.2em" aria-hidden />}
      loading={cancel.isPending}
      onClick={() => cancel.mutate()}
    >
      Cancel message
    </Button>
  );
}

function detailsOf({ id, delivery, attempts }: MessageDetail): [string, string][] {
  const lines: [string, string][] = [
    ['Message id', id],
    ['Due', exact(Date.parse(delivery.due_at))],
  ];
  if (delivery.reason !== null) lines.push(['Reason', delivery.reason]);
  for (const attempt of attempts) {
    const code = attempt.code === null ? '' : `, provider code ${attempt.code}`;
    lines.push([
      `Attempt ${attempt.number}`,
      `${attempt.status}${code}, ${exact(Date.parse(attempt.started_at))}`,
    ]);
    lines.push([`Provider id ${attempt.number}`, attempt.provider_id]);
  }
  return lines;
}
