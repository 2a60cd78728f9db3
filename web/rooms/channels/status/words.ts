import {
  IconAlertTriangle,
  IconBan,
  IconCircleCheck,
  IconDatabaseX,
  IconHourglass,
  IconLogout,
  IconMinus,
  IconRefresh,
  IconZzz,
} from '@tabler/icons-react';
import type { StatusLook } from '../../../kit/status-badge.tsx';
import type { Channel } from '../api.ts';
import type { NodeStatus, Status } from './api.ts';

const nodeLooks: Record<NodeStatus['state'], StatusLook> = {
  active: { color: 'green', word: 'Active', icon: IconCircleCheck },
  passive: { color: 'gray', word: 'Standing by', icon: IconZzz },
  leaving: { color: 'blue', word: 'Stopping', icon: IconLogout },
  gone: { color: 'red', word: 'Gone', icon: IconBan },
};

const noDatabase: StatusLook = { color: 'orange', word: 'No database', icon: IconDatabaseX };

export function lookOfNode({ state, reason }: NodeStatus): StatusLook {
  return reason === 'cannot_renew' ? noDatabase : nodeLooks[state];
}

/** Why the node is active or not, in a sentence. */
export const nodeWords: Record<NodeStatus['reason'], string> = {
  driving: 'It drives channels and has room for more.',
  at_limit: 'It drives as many channels as it may. More need another node, or a higher limit.',
  single_node: 'It is the only one, as the built-in database allows no other, and drives every channel.',
  nothing_to_drive: 'It is ready. No channel is to be connected right now.',
  others_hold_all: 'It is ready. Other nodes drive all channels; it takes over when one of them goes.',
  awaits_takeover: 'A node is gone. This one takes over its channels as soon as their holds have run out.',
  about_to_take: 'A channel is free and is taken in a moment.',
  drives_none: 'It is set to drive no channels.',
  cannot_renew:
    'It cannot reach the database. What it drives stops within half a minute, unless the database comes back.',
  stopping: 'It is stopping and hands its channels to the others.',
  not_seen: 'It has not been heard of. Others take over what it drove.',
};

/** How one channel stands: driven by a node for a while yet, waiting for one, or in need of none. */
export type Standing =
  | { kind: 'driven'; node: string; since: string; leftMs: number }
  | { kind: 'waiting'; reason: Status['waiting'][number]['reason']; leftMs?: number }
  | { kind: 'idle' };

export function standingOf(channelId: string, status: Status): Standing {
  const lease = status.leases.find(one => one.channel_id === channelId);
  const waiting = status.waiting.find(one => one.channel_id === channelId);
  if (waiting) {
    return { kind: 'waiting', reason: waiting.reason, ...(lease ? { leftMs: lease.expires_in_ms } : {}) };
  }
  if (!lease) return { kind: 'idle' };
  const node = status.nodes.find(one => one.boot_id === lease.boot_id);
  return {
    kind: 'driven',
    node: node?.node_id ?? 'a node',
    since: lease.taken_at,
    leftMs: lease.expires_in_ms,
  };
}

export function lookOfStanding(standing: Standing): StatusLook {
  if (standing.kind === 'driven') return { color: 'green', word: 'Driven', icon: IconCircleCheck };
  if (standing.kind === 'idle') return { color: 'gray', word: 'Not in use', icon: IconMinus };
  return standing.reason === 'free'
    ? { color: 'blue', word: 'Being taken', icon: IconRefresh }
    : { color: 'orange', word: 'Waits for a node', icon: IconHourglass };
}

/** What keeps a channel from being driven. */
export function waitingWords({ reason, leftMs }: Extract<Standing, { kind: 'waiting' }>): string {
  switch (reason) {
    case 'no_room':
      return 'No node has room for it. Messages wait until one is added or may drive more.';
    case 'free':
      return 'A node takes it in a moment.';
    case 'holder_gone':
      return `Its node is gone. Another takes it over ${leftMs ? `in about ${secondsWords(leftMs)}` : 'in a moment'}.`;
  }
}

export function secondsWords(ms: number): string {
  const seconds = Math.ceil(ms / 1_000);
  return seconds === 1 ? '1 second' : `${seconds} seconds`;
}

/** The page in a sentence: what needs somebody, or that nothing does. */
export function verdictOn(
  status: Status,
  channels: Pick<Channel, 'id'>[],
): StatusLook & { words: string; remedy?: string } {
  const trouble = { color: 'orange', word: 'Needs you', icon: IconAlertTriangle } as const;
  if (status.nodes.some(({ reason }) => reason === 'cannot_renew')) {
    return {
      ...trouble,
      icon: IconDatabaseX,
      words: 'The database is out of reach.',
      remedy:
        'Messages wait and nothing is lost. See that the database runs and that this machine reaches it.',
    };
  }
  const noRoom = status.waiting.filter(({ reason }) => reason === 'no_room').length;
  if (noRoom > 0) {
    return {
      ...trouble,
      words: `${channelsWords(noRoom)} ${noRoom === 1 ? 'has' : 'have'} no node.`,
      remedy: 'Add a node, or let one drive more: CONVOKE_MAX_CHANNELS_PER_NODE.',
    };
  }
  if (status.waiting.some(({ reason }) => reason === 'holder_gone')) {
    return {
      ...trouble,
      words: 'A node is gone.',
      remedy: 'Another takes over by itself. Look why the node went.',
    };
  }
  const driven = channels.filter(({ id }) => standingOf(id, status).kind === 'driven').length;
  const alive = status.nodes.filter(({ state }) => state !== 'gone').length;
  const nodes = alive === 1 ? '1 node runs' : `${alive} nodes run`;
  return {
    color: 'green',
    word: 'All well',
    icon: IconCircleCheck,
    words: driven === 0 ? `${nodes}. No channel is connected.` : `${nodes}, ${channelsWords(driven)} driven.`,
  };
}

function channelsWords(count: number): string {
  return count === 1 ? '1 channel' : `${count} channels`;
}
