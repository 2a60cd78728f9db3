import { ActionIcon, Indicator, Popover, Stack, Text, Title } from '@mantine/core';
import { IconBell } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { type ReactNode, useState } from 'react';
import { serverNow } from '../../kit/clock.ts';
import { TextLink } from '../../kit/links.tsx';
import { useWorkspace } from '../../kit/workspace.tsx';
import { channelsQuery } from '../channels/api.ts';
import { explain, needsYou } from '../channels/words.ts';
import { type Message, needsYouQuery } from './api.ts';
import { recipientName } from './words.ts';

/** What is older is history; it stays on the Activity page. */
const RECENT_MS = 7 * 86_400_000;
const MOST = 99;

/** The bell: channels that wait for a person, and messages of the last week that did not go as they should. */
export function NeedsYou() {
  const workspace = useWorkspace();
  const { slug } = workspace;
  const [open, setOpen] = useState(false);
  const channels = useQuery(channelsQuery(workspace)).data?.filter(needsYou) ?? [];
  const messages = useQuery(needsYouQuery(workspace)).data?.filter(isRecent) ?? [];
  const unclear = messages.filter(({ delivery }) => delivery.status === 'unknown');
  const others = messages.filter(({ delivery }) => delivery.status !== 'unknown');
  const count = channels.length + messages.length;
  const shown = countWords(count);
  const close = () => setOpen(false);
  return (
    <Popover opened={open} onChange={setOpen} position="bottom-end" shadow="md" trapFocus returnFocus>
      <Indicator label={shown} disabled={count === 0} color="red">
        <Popover.Target>
          <ActionIcon
            variant="subtle"
            color="gray"
            size="xl"
            radius="xl"
            aria-label={
              count === 0
                ? 'Nothing needs you'
                : `${shown} ${count === 1 ? 'thing needs' : 'things need'} you`
            }
            onClick={() => setOpen(!open)}
          >
            <IconBell stroke={1.5} size="1.4em" aria-hidden />
          </ActionIcon>
        </Popover.Target>
      </Indicator>
      <Popover.Dropdown aria-label="What needs you" maw="min(var(--convoke-dropdown), 92vw)">
        <Stack gap="md">
          <Title order={2}>{count === 0 ? 'Nothing needs you' : 'Needs you'}</Title>
          {count === 0 && (
            <Text tabIndex={0} data-autofocus>
              Channels that lost their connection and messages that failed or got no answer would stand here.
            </Text>
          )}
          {channels.map(channel => (
            <Stack key={channel.id} gap={0}>
              <TextLink to="/w/$slug/channels/$id" params={{ slug, id: channel.id }} onClick={close}>
                {channel.label}
              </TextLink>
              <Text size="sm">{explain(channel).words}</Text>
            </Stack>
          ))}
          <Messages messages={unclear} close={close}>
            got no answer. You know best whether {unclear.length === 1 ? 'it' : 'they'} arrived.
          </Messages>
          <Messages messages={others} close={close}>
            failed or {others.length === 1 ? 'was' : 'were'} missed in the last seven days.
          </Messages>
        </Stack>
      </Popover.Dropdown>
    </Popover>
  );
}

function Messages({
  messages,
  close,
  children,
}: {
  messages: Message[];
  close: () => void;
  children: ReactNode;
}) {
  const { slug } = useWorkspace();
  const [first, ...more] = messages;
  if (!first) return null;
  return (
    <Stack gap={0}>
      {more.length === 0 ? (
        <TextLink to="/w/$slug/activity/$id" params={{ slug, id: first.id }} onClick={close}>
          1 message to {recipientName(first.to)}
        </TextLink>
      ) : (
        <TextLink to="/w/$slug/activity" params={{ slug }} search={{ outcome: 'needs_you' }} onClick={close}>
          {countWords(messages.length)} messages
        </TextLink>
      )}
      <Text size="sm">{children}</Text>
    </Stack>
  );
}

function countWords(count: number): string {
  return count > MOST ? `${MOST}+` : String(count);
}

function isRecent({ delivery }: Message): boolean {
  return serverNow() - Date.parse(delivery.ended_at ?? delivery.due_at) < RECENT_MS;
}
