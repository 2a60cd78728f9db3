import { Group, Stack, Text, Title } from '@mantine/core';
import { IconBan, IconClock, IconClockX } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { Empty } from '../../kit/empty.tsx';
import { Moment } from '../../kit/moment.tsx';
import { RowLink, Rows } from '../../kit/rows.tsx';
import { StatusBadge, type StatusLook } from '../../kit/status-badge.tsx';
import { Loaded } from '../../kit/waiting.tsx';
import { useWorkspace } from '../../kit/workspace.tsx';
import { outcomes } from '../messages/outcomes.ts';
import { lookOf, outcomeWords, recipientName } from '../messages/words.ts';
import { type Reminder, type Run, runsQuery } from './api.ts';

/** What was processed, newest first, and what became of each recipient. */
export function Runs({ reminder }: { reminder: Reminder }) {
  const query = useQuery(runsQuery(useWorkspace(), reminder.id));
  return (
    <Stack gap="md" component="section" aria-label="Runs">
      <Title order={2}>What happened</Title>
      <Loaded query={query} what="runs" rows={1}>
        {({ data }) =>
          data.length === 0 ? (
            <Empty shape="quiet" title="Nothing yet">
              Each time it goes out, you see here what reached whom.
            </Empty>
          ) : (
            <Stack gap="xl">
              {data.map(run => (
                <RunView key={run.id} run={run} />
              ))}
            </Stack>
          )
        }
      </Loaded>
    </Stack>
  );
}

function RunView({ run }: { run: Run }) {
  const { slug } = useWorkspace();
  const look = looks[run.status];
  return (
    <Stack gap="xs">
      <Group gap="sm">
        <Text fw={600}>
          <Moment at={run.due_at} capital />
        </Text>
        {look ? <StatusBadge look={look} /> : <Text c="dimmed">{outcomeSentence(run)}</Text>}
      </Group>
      {run.status === 'missed' && (
        <Text size="sm" c="dimmed">
          {missedWords(run.reason)}
        </Text>
      )}
      {run.status === 'cancelled' && (
        <Text size="sm" c="dimmed">
          Taken back before it left, because the reminder was changed, paused or deleted.
        </Text>
      )}
      {run.status !== 'cancelled' && run.targets.length > 0 && (
        <Rows label="Recipients of this run">
          {run.targets.map(target => (
            <RowLink
              key={target.message_id}
              to="/w/$slug/activity/$id"
              params={{ slug, id: target.message_id }}
              title={recipientName(target)}
              status={<StatusBadge look={lookOf(target.status)} testId="delivery-status" />}
            />
          ))}
        </Rows>
      )}
    </Stack>
  );
}

const looks: Partial<Record<Run['status'], StatusLook>> = {
  pending: { color: 'gray', word: 'Coming', icon: IconClock },
  missed: { color: 'gray', word: 'Missed', icon: IconClockX },
  cancelled: { color: 'gray', word: 'Cancelled', icon: IconBan },
};

/** "2 delivered, 1 needs you" */
function outcomeSentence({ outcomes: counts }: Run): string {
  return outcomes
    .filter(outcome => counts[outcome] > 0)
    .map(outcome => `${counts[outcome]} ${outcomeWords[outcome].toLowerCase()}`)
    .join(', ');
}

function missedWords(reason: string | null): string {
  return reason === 'outage'
    ? 'Convoke was not running in time, so it was left out rather than sent late.'
    : 'It could not go out in time, so it was left out rather than sent late.';
}
