import { Alert, Stack, Text } from '@mantine/core';
import { IconQrcode } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { useParams } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { ButtonLink, TextLink } from '../../kit/links.tsx';
import { Moment } from '../../kit/moment.tsx';
import { Page } from '../../kit/page.tsx';
import { phoneWords } from '../../kit/phone.ts';
import { StatusBadge } from '../../kit/status-badge.tsx';
import { Loaded } from '../../kit/waiting.tsx';
import { useWorkspace } from '../../kit/workspace.tsx';
import { type Channel, channelQuery } from './api.ts';
import { ChannelLabel } from './channel-label.tsx';
import { ChannelMenu } from './channel-menu.tsx';
import { Groups } from './groups.tsx';
import { Pace } from './pacing/pace.tsx';
import { Resume } from './pacing/resume.tsx';
import { Parked } from './parking/parked.tsx';
import { explain, lookOfChannel } from './words.ts';

export function ChannelPage() {
  const { id } = useParams({ from: '/w/$slug/channels/$id' });
  const workspace = useWorkspace();
  const query = useQuery(channelQuery(workspace, id));
  const back = (
    <TextLink to="/w/$slug/channels" params={{ slug: workspace.slug }}>
      Channels
    </TextLink>
  );
  if (query.data === undefined) {
    return (
      <Page title="Channel" back={back}>
        <Loaded query={query} what="the channel">
          {() => null}
        </Loaded>
      </Page>
    );
  }
  return <Detail channel={query.data} back={back} />;
}

function Detail({ channel, back }: { channel: Channel; back: ReactNode }) {
  const { slug, can } = useWorkspace();
  const { pairAgain } = explain(channel);
  const what = { channelId: channel.id, label: channel.label };
  return (
    <Page
      title={channel.label}
      back={back}
      heading={can('channels.manage') ? <ChannelLabel key={channel.id} channel={channel} /> : undefined}
      beside={<StatusBadge look={lookOfChannel(channel)} testId="channel-status" />}
      others={can('channels.manage') && <ChannelMenu channel={channel} />}
      action={
        pairAgain && can('channels.manage') ? (
          <ButtonLink
            to="/w/$slug/channels/$id/pair"
            params={{ slug, id: channel.id }}
            leftSection={<IconQrcode size="1.2em" aria-hidden />}
          >
            {pairWords(channel)}
          </ButtonLink>
        ) : undefined
      }
    >
      <Stack gap="xl">
        <Stack gap="md">
          <Now channel={channel} />
          <Parked what={what} />
        </Stack>
        {channel.phone !== null && <Pace channel={channel} />}
        {(channel.phone !== null || channel.groups_count > 0) && <Groups channel={channel} />}
      </Stack>
    </Page>
  );
}

function Now({ channel }: { channel: Channel }) {
  const { words, remedy } = explain(channel);
  const restricted = channel.restriction !== null || channel.status === 'restricted';
  const until = channel.restriction?.until ?? channel.status_until;
  const look = lookOfChannel(channel);
  const Picture = look.icon;
  return (
    <Alert color={look.color} icon={<Picture aria-hidden />} title={words}>
      <Stack gap="var(--convoke-near)">
        {remedy !== '' && <Text>{remedy}</Text>}
        {until !== null && (
          <Text>
            {restricted ? 'It is expected to end' : 'Next try'} <Moment at={until} />.
          </Text>
        )}
        <Text size="sm">
          {channel.phone !== null && (
            <>
              {phoneWords(channel.phone)}
              {channel.profile_name !== null && `, ${channel.profile_name}`} ·{' '}
            </>
          )}
          since <Moment at={channel.restriction?.since ?? channel.status_at} />
        </Text>
        <Resume channel={channel} />
      </Stack>
    </Alert>
  );
}

function pairWords(channel: Channel): string {
  if (channel.status === 'pairing') return 'Go on pairing';
  return channel.phone === null && channel.status_reason === null ? 'Pair a phone' : 'Pair again';
}
