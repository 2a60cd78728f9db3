import { Alert, Group, Paper, SimpleGrid, Stack, Text, Title } from '@mantine/core';
import { IconInfoCircle, IconPencil } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { useParams } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { ButtonLink, TextLink } from '../../kit/links.tsx';
import { Moment, Wall } from '../../kit/moment.tsx';
import { Page } from '../../kit/page.tsx';
import { phoneWords } from '../../kit/phone.ts';
import { StatusBadge } from '../../kit/status-badge.tsx';
import { Loaded } from '../../kit/waiting.tsx';
import { useWorkspace } from '../../kit/workspace.tsx';
import { channelQuery } from '../channels/api.ts';
import { explain } from '../channels/words.ts';
import { titleOf } from '../messages/formatting.ts';
import { MessageText } from '../messages/message-text.tsx';
import { type Reminder, reminderQuery } from './api.ts';
import { ReminderMenu, Switch } from './reminder-actions.tsx';
import { Runs } from './runs.tsx';
import styles from './wizard.module.css';
import { statusLooks } from './words.ts';

export function ReminderPage() {
  const { id } = useParams({ from: '/w/$slug/reminders/$id' });
  const workspace = useWorkspace();
  const { slug } = workspace;
  const query = useQuery(reminderQuery(workspace, id));
  const reminder = query.data;
  const mayChange = reminder !== undefined && workspace.can('reminders.manage');
  return (
    <Page
      title={reminder ? titleOf(reminder.content.text.body) : 'Reminder'}
      back={
        <TextLink to="/w/$slug/reminders" params={{ slug }}>
          Reminders
        </TextLink>
      }
      beside={reminder && <StatusBadge look={statusLooks[reminder.status]} testId="reminder-status" />}
      others={
        mayChange && (
          <Group gap="xs" wrap="nowrap">
            <Switch reminder={reminder} />
            <ReminderMenu reminder={reminder} />
          </Group>
        )
      }
      action={
        mayChange ? (
          <ButtonLink
            to="/w/$slug/reminders/$id/edit"
            params={{ slug, id }}
            leftSection={<IconPencil size="1.2em" aria-hidden />}
          >
            Edit
          </ButtonLink>
        ) : undefined
      }
    >
      <Loaded query={query} what="the reminder">
        {found => (
          <Stack gap="xl">
            <ChannelTrouble reminder={found} />
            <SimpleGrid cols={{ base: 1, md: 2 }} spacing="lg">
              <Next reminder={found} />
              <About reminder={found} />
            </SimpleGrid>
            <Runs reminder={found} />
          </Stack>
        )}
      </Loaded>
    </Page>
  );
}

function Next({ reminder }: { reminder: Reminder }) {
  const { next, schedule, status } = reminder;
  return (
    <Card title="What happens next">
      {next === null ? (
        <Text>{status === 'paused' ? 'Nothing, until you resume it.' : 'Nothing more. It has ended.'}</Text>
      ) : (
        <Stack gap="var(--convoke-near)">
          <Text size="xl" fw={600} data-testid="reminder-next">
            <Moment at={next.at} capital />
          </Text>
          <Text c="dimmed">
            <Wall local={next.local} zone={schedule.time_zone} at={next.at} />
          </Text>
          {next.shifted && (
            <Text size="sm">Clocks skip this time on that day; it goes out when they have moved on.</Text>
          )}
        </Stack>
      )}
      <Text>{reminder.summary}</Text>
      {reminder.ends_at !== null && (
        <Text size="sm" c="dimmed">
          It ends <Moment at={reminder.ends_at} />.
        </Text>
      )}
    </Card>
  );
}

function About({ reminder }: { reminder: Reminder }) {
  const { slug } = useWorkspace();
  return (
    <Card title="Message">
      <Paper p="md" radius="md" bg="var(--convoke-ground)">
        <MessageText text={reminder.content.text.body} />
      </Paper>
      <Stack gap="var(--convoke-near)">
        <Title order={3}>To</Title>
        <ul className={styles.plain}>
          {reminder.targets.map(target => (
            <li key={target.group_id ?? target.phone}>
              {target.name ?? (target.phone === null ? 'A group' : phoneWords(target.phone))}
              {target.archived && (
                <Text span size="sm" c="dimmed">
                  {' '}
                  – the number is no longer in this group; nothing is sent to it
                </Text>
              )}
            </li>
          ))}
        </ul>
      </Stack>
      <Text size="sm" c="dimmed">
        From{' '}
        <TextLink to="/w/$slug/channels/$id" params={{ slug, id: reminder.channel_id }} inherit>
          {reminder.channel_label}
        </TextLink>
      </Text>
    </Card>
  );
}

function ChannelTrouble({ reminder }: { reminder: Reminder }) {
  const workspace = useWorkspace();
  const { data: channel } = useQuery(channelQuery(workspace, reminder.channel_id));
  if (!channel || reminder.status !== 'active') return null;
  if (channel.status === 'connected' && !channel.restriction) return null;
  const trouble = channel.status === 'connected' ? 'is restricted' : 'is not connected';
  return (
    <Alert color="orange" icon={<IconInfoCircle aria-hidden />} title={`${channel.label} ${trouble}`}>
      {explain(channel).words} What falls due now waits for it, and is shown as missed when it comes back too
      late.{' '}
      <TextLink to="/w/$slug/channels/$id" params={{ slug: workspace.slug, id: channel.id }} inherit>
        To the channel
      </TextLink>
    </Alert>
  );
}

function Card({ title, children }: { title: string; children: ReactNode }) {
  return (
    <Paper p={{ base: 'md', sm: 'xl' }} component="section" aria-label={title}>
      <Stack gap="md">
        <Title order={2}>{title}</Title>
        {children}
      </Stack>
    </Paper>
  );
}
