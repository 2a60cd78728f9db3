import { Group, Stack } from '@mantine/core';
import { IconPlus } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { Empty } from '../../kit/empty.tsx';
import { ButtonLink } from '../../kit/links.tsx';
import { Page } from '../../kit/page.tsx';
import { phoneWords } from '../../kit/phone.ts';
import { RowLink, Rows } from '../../kit/rows.tsx';
import { StatusBadge } from '../../kit/status-badge.tsx';
import { Loaded } from '../../kit/waiting.tsx';
import { useWorkspace } from '../../kit/workspace.tsx';
import { type Channel, channelsQuery } from './api.ts';
import { parkingsQuery } from './parking/api.ts';
import { parkedLook, parkingOf } from './parking/words.ts';
import { explain, lookOfChannel } from './words.ts';

export function ChannelList() {
  const workspace = useWorkspace();
  const query = useQuery(channelsQuery(workspace));
  const parkings = useQuery(parkingsQuery(workspace)).data;
  const some = query.data !== undefined && query.data.length > 0;
  return (
    <Page
      title="Channels"
      action={some && workspace.can('channels.manage') ? <NewChannel slug={workspace.slug} /> : undefined}
    >
      <Loaded query={query} what="channels">
        {channels =>
          channels.length > 0 ? (
            <Rows label="Channels">
              {channels.map(channel => (
                <ChannelRow
                  key={channel.id}
                  channel={channel}
                  slug={workspace.slug}
                  parked={parkingOf(parkings, { channelId: channel.id, label: channel.label }) !== undefined}
                />
              ))}
            </Rows>
          ) : (
            <Empty
              shape="linking"
              title="Pair your first number"
              action={workspace.can('channels.manage') && <NewChannel slug={workspace.slug} />}
            >
              A channel is a WhatsApp number that Convoke sends from. Pairing takes a minute and a phone.
            </Empty>
          )
        }
      </Loaded>
    </Page>
  );
}

function ChannelRow({ channel, slug, parked }: { channel: Channel; slug: string; parked: boolean }) {
  const about = [
    channel.phone === null ? undefined : phoneWords(channel.phone),
    channel.status === 'connected' && !channel.restriction
      ? groupCount(channel.groups_count)
      : explain(channel).words,
  ].filter(part => part !== undefined);
  return (
    <RowLink
      to="/w/$slug/channels/$id"
      params={{ slug, id: channel.id }}
      title={channel.label}
      meta={
        <Stack gap={0} component="span">
          {about.join(' · ')}
        </Stack>
      }
      status={
        <Group gap="xs">
          {parked && <StatusBadge look={parkedLook} />}
          <StatusBadge look={lookOfChannel(channel)} testId="channel-status" />
        </Group>
      }
    />
  );
}

function NewChannel({ slug }: { slug: string }) {
  return (
    <ButtonLink
      to="/w/$slug/channels/new"
      params={{ slug }}
      leftSection={<IconPlus size="1.2em" aria-hidden />}
    >
      New channel
    </ButtonLink>
  );
}

function groupCount(count: number): string {
  return count === 1 ? '1 group' : `${count} groups`;
}
