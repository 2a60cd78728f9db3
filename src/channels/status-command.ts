import { z } from 'zod';
import { type Commands, type Kernel, type Leases, leaseTimesOf } from '../kernel/index.ts';
import { standingOf } from './standing.ts';
import { readStatus, type StatusFacts } from './status.ts';

/** `convoke status`: the whole installation, for whoever may use the machine that it runs on. */
export function registerStatusCommand(commands: Commands, kernel: Kernel, leases?: Leases): void {
  commands.register('status', z.strictObject({}), async () => {
    const facts = await readStatus(kernel, leases?.times ?? leaseTimesOf(kernel.config), leases);
    return [...nodeLines(facts), '', ...leaseLines(facts), ...waitingLines(facts)].join('\n');
  });
}

function nodeLines({ nodes, work }: StatusFacts): string[] {
  if (nodes.length === 0) return ['No node is running.'];
  return nodes.map(node => {
    const { state, detail } = standingOf(node, work);
    return `node ${node.nodeId} (${node.bootId}): ${state}, ${node.held} of at most ${node.limit} channels. ${detail}`;
  });
}

function leaseLines({ nodes, leases }: StatusFacts): string[] {
  if (leases.length === 0) return ['No lease is held.'];
  const names = new Map(nodes.map(node => [node.bootId, node.nodeId]));
  return leases.map(({ name, bootId, fence, leftMs }) => {
    const left = leftMs > 0 ? `${(leftMs / 1000).toFixed(1)} s left` : 'expired';
    return `lease ${name}: ${names.get(bootId) ?? bootId}, fence ${fence}, ${left}`;
  });
}

function waitingLines({ waiting }: StatusFacts): string[] {
  return waiting.map(({ channelId, workspaceId, reason }) => {
    return `waiting: channel ${channelId} of workspace ${workspaceId}: ${WORDS[reason]}`;
  });
}

const WORDS = {
  no_room: 'no node has room for it; add a node or raise CONVOKE_MAX_CHANNELS_PER_NODE',
  holder_gone: 'its node is gone, and its lease still runs',
  free: 'a node takes it in a moment',
};
