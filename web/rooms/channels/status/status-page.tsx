import { Alert, Stack, Text, Title } from '@mantine/core';
import { IconAlertTriangle } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { Problem } from '../../../kit/api.ts';
import { Details } from '../../../kit/error-view.tsx';
import { TextLink } from '../../../kit/links.tsx';
import { Moment } from '../../../kit/moment.tsx';
import { Page } from '../../../kit/page.tsx';
import { Row, RowLink, Rows } from '../../../kit/rows.tsx';
import { StatusBadge } from '../../../kit/status-badge.tsx';
import { Loaded } from '../../../kit/waiting.tsx';
import { useWorkspace } from '../../../kit/workspace.tsx';
import { type Channel, channelsQuery } from '../api.ts';
import { type NodeStatus, type Status, statusQuery } from './api.ts';
import {
  lookOfNode,
  lookOfStanding,
  nodeWords,
  type Standing,
  secondsWords,
  standingOf,
  verdictOn,
  waitingWords,
} from './words.ts';

/** The nodes of this Convoke, and which of them drives which channel. */
export function StatusPage() {
  const workspace = useWorkspace();
  const query = useQuery(statusQuery(workspace));
  const channels = useQuery(channelsQuery(workspace)).data ?? [];
  return (
    <Page
      title="Status"
      width="reading"
      back={
        <TextLink to="/w/$slug/settings" params={{ slug: workspace.slug }}>
          Settings
        </TextLink>
      }
    >
      <Loaded query={query} what="the status">
        {status => (
          <Stack gap="xl">
            {query.error ? (
              <NoAnswer error={query.error} since={query.dataUpdatedAt} />
            ) : (
              <Verdict status={status} channels={channels} />
            )}
            <Nodes status={status} />
            {channels.length > 0 && <Channels status={status} channels={channels} />}
            <Details lines={detailsOf(status, channels)} />
          </Stack>
        )}
      </Loaded>
    </Page>
  );
}

/** What is shown stays, with the moment when it was true. */
function NoAnswer({ error, since }: { error: Error; since: number }) {
  return (
    <Alert color="red" icon={<IconAlertTriangle aria-hidden />} title="No fresh answer" role="alert">
      {error instanceof Problem && `${error.message} `}
      What you see was true <Moment at={new Date(since).toISOString()} />.
    </Alert>
  );
}

function Verdict({ status, channels }: { status: Status; channels: Channel[] }) {
  const { color, icon: Picture, words, remedy } = verdictOn(status, channels);
  return (
    <Alert color={color} icon={<Picture aria-hidden />} title={words}>
      {remedy}
    </Alert>
  );
}

function Nodes({ status }: { status: Status }) {
  return (
    <Stack gap="md" component="section" aria-label="Nodes">
      <Stack gap={0}>
        <Title order={2}>Nodes</Title>
        <Text c="dimmed">Each is one running Convoke. A channel is driven by one of them at a time.</Text>
      </Stack>
      <Rows label="Nodes">
        {status.nodes.map(node => (
          <NodeRow key={node.boot_id} node={node} answers={node.boot_id === status.answered_by} />
        ))}
      </Rows>
    </Stack>
  );
}

function NodeRow({ node, answers }: { node: NodeStatus; answers: boolean }) {
  return (
    <Row
      title={node.node_id}
      meta={
        <>
          <Text span inherit display="block" c="var(--mantine-color-text)">
            {nodeWords[node.reason]}
          </Text>
          {node.state === 'gone' ? (
            <>
              Last seen <Moment at={node.seen_at} />
            </>
          ) : (
            <>
              Started <Moment at={node.started_at} />
            </>
          )}
          {answers && ' · answers this page'}
        </>
      }
      status={<StatusBadge look={lookOfNode(node)} testId="node-status" />}
    />
  );
}

function Channels({ status, channels }: { status: Status; channels: Channel[] }) {
  const { slug } = useWorkspace();
  return (
    <Stack gap="md" component="section" aria-label="Channels">
      <Title order={2}>Channels</Title>
      <Rows label="Channels and their nodes">
        {channels.map(({ id, label }) => {
          const standing = standingOf(id, status);
          return (
            <RowLink
              key={id}
              to="/w/$slug/channels/$id"
              params={{ slug, id }}
              title={label}
              meta={<How standing={standing} />}
              status={<StatusBadge look={lookOfStanding(standing)} testId="channel-standing" />}
            />
          );
        })}
      </Rows>
    </Stack>
  );
}

function How({ standing }: { standing: Standing }) {
  switch (standing.kind) {
    case 'idle':
      return 'It is not connected and needs no node.';
    case 'waiting':
      return waitingWords(standing);
    case 'driven':
      return (
        <>
          {standing.node} took it <Moment at={standing.since} />. Its hold lasts{' '}
          {secondsWords(standing.leftMs)} more unless renewed.
        </>
      );
  }
}

function detailsOf(status: Status, channels: Channel[]): [string, string][] {
  const label = (id: string) => channels.find(channel => channel.id === id)?.label ?? id;
  return [
    ...status.nodes.map(({ node_id, boot_id, roles }): [string, string] => [
      `Boot id of ${node_id}`,
      `${boot_id} (${roles.join(', ')})`,
    ]),
    ...status.leases.map(({ channel_id, fence }): [string, string] => [
      `Fence of ${label(channel_id)}`,
      String(fence),
    ]),
  ];
}
