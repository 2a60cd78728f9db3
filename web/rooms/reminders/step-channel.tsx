import { Group, Paper, Radio, Stack, Text } from '@mantine/core';
import { phoneWords } from '../../kit/phone.ts';
import { StatusBadge } from '../../kit/status-badge.tsx';
import type { Channel } from '../channels/api.ts';
import { explain, lookOfChannel } from '../channels/words.ts';

type Props = {
  channels: Channel[];
  chosen: string | null;
  choose: (id: string) => void;
  lack: string | undefined;
};

export function StepChannel({ channels, chosen, choose, lack }: Props) {
  return (
    <Radio.Group value={chosen} onChange={choose} error={lack} aria-label="Channel">
      <Stack gap="sm">
        {channels.map(channel => (
          <Paper key={channel.id} p="md" radius="md">
            <Group justify="space-between" wrap="nowrap" align="flex-start">
              <Radio value={channel.id} label={channel.label} description={about(channel)} />
              <StatusBadge look={lookOfChannel(channel)} />
            </Group>
          </Paper>
        ))}
        {chosen !== null && <Warning channel={channels.find(channel => channel.id === chosen)} />}
      </Stack>
    </Radio.Group>
  );
}

function Warning({ channel }: { channel: Channel | undefined }) {
  if (!channel || (channel.status === 'connected' && !channel.restriction)) return null;
  return (
    <Text size="sm" c="dimmed">
      {explain(channel).words} You can plan the reminder now; it goes out once the channel can send, or is
      shown as missed.
    </Text>
  );
}

function about(channel: Channel): string {
  const number = channel.phone === null ? 'No number yet' : phoneWords(channel.phone);
  return `${number} · ${channel.groups_count} ${channel.groups_count === 1 ? 'group' : 'groups'}`;
}
