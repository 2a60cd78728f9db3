import { Button, Group, Paper, Progress, Stack, Text, Title } from '@mantine/core';
import { IconAdjustments } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { Moment } from '../../../kit/moment.tsx';
import { useWorkspace } from '../../../kit/workspace.tsx';
import type { Channel } from '../api.ts';
import { Adjust } from './adjust.tsx';
import { type Pacing, pacingQuery } from './api.ts';
import { isYoung } from './limits.ts';

/** How fast the number sends and what it has used today; nothing where nothing is paced. */
export function Pace({ channel }: { channel: Channel }) {
  const workspace = useWorkspace();
  const pacing = useQuery(pacingQuery(workspace, channel.id)).data;
  const [adjusting, setAdjusting] = useState(false);
  if (!pacing) return null;
  return (
    <Stack gap="md" component="section" aria-label="Pace">
      <Group justify="space-between">
        <Title order={2}>Pace</Title>
        {workspace.can('channels.manage') && (
          <Button
            variant="default"
            size="sm"
            leftSection={<IconAdjustments size="1.1em" aria-hidden />}
            onClick={() => setAdjusting(true)}
          >
            Adjust
          </Button>
        )}
      </Group>
      <Paper p="md" data-testid="pace">
        <Stack gap="sm">
          <Text>
            About {pacing.settings.messages_per_minute} messages a minute, at most{' '}
            {Math.min(pacing.settings.groups_per_minute, pacing.settings.messages_per_minute)} of them to
            groups. A number that sends like a machine is restricted sooner.
          </Text>
          <NewPeople pacing={pacing} />
          <Waiting pacing={pacing} />
        </Stack>
      </Paper>
      {adjusting && <Adjust pacing={pacing} label={channel.label} close={() => setAdjusting(false)} />}
    </Stack>
  );
}

function NewPeople({ pacing }: { pacing: Pacing }) {
  const { new_people: used, new_people_limit: limit, until } = pacing.today;
  return (
    <Stack gap="var(--convoke-near)">
      <Text fw={600}>
        {used} of {limit} new people today
      </Text>
      <Progress
        value={limit === 0 ? 100 : Math.min(100, (used / limit) * 100)}
        aria-label={`${used} of ${limit} new people today`}
      />
      <Text size="sm" c="dimmed">
        {until !== null && (
          <>
            The count begins anew <Moment at={until} />.{' '}
          </>
        )}
        {isYoung(pacing) &&
          `The number is young: its limit grows to ${pacing.settings.new_people_per_day} within ${pacing.settings.warm_up_days} days of pairing.`}
      </Text>
    </Stack>
  );
}

function Waiting({ pacing }: { pacing: Pacing }) {
  if (pacing.waiting === 0) return null;
  return (
    <Text size="sm">
      {pacing.waiting === 1
        ? '1 message that is due waits.'
        : `${pacing.waiting} messages that are due wait.`}
    </Text>
  );
}
