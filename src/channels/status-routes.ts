import { z } from 'zod';
import { Id, Instant, type Kernel, type Leases, type Routes, type Scope } from '../kernel/index.ts';
import { STANDING_REASONS, standingOf } from './standing.ts';
import { readStatus, type StatusFacts } from './status.ts';

const NodeStatus = z.object({
  boot_id: Id.describe('Names this very process; a restart has another'),
  node_id: z.string().describe('CONVOKE_NODE_ID; stable across restarts'),
  roles: z.array(z.string()),
  started_at: Instant,
  seen_at: Instant,
  state: z.enum(['active', 'passive', 'leaving', 'gone']).describe('`active` = it drives channels'),
  reason: z.enum(STANDING_REASONS).describe('Why it is so, or why it takes no more'),
  detail: z.string().describe('The same in a plain sentence'),
});

const LeaseStatus = z.object({
  channel_id: Id,
  boot_id: Id,
  fence: z.number().int().describe('Grows with every new holder'),
  taken_at: Instant,
  expires_in_ms: z.number().int().describe('Until it expires unless its holder renews it'),
});

const WaitingChannel = z.object({
  channel_id: Id,
  reason: z
    .enum(['no_room', 'holder_gone', 'free'])
    .describe(
      '`holder_gone` = its node is gone and its lease still runs; `free` = a node takes it in a moment',
    ),
});

const Status = z.object({
  answered_by: Id.describe('`boot_id` of the node that answers'),
  nodes: z.array(NodeStatus),
  leases: z.array(LeaseStatus).describe('Of the channels of this workspace'),
  waiting: z
    .array(WaitingChannel)
    .describe('Channels of this workspace that should be connected and have no node'),
});

/**
 * `GET /v1/status`. A member sees how the nodes fare and what concerns the own workspace; how much the others have is the
 * operator's business, who asks on the command line.
 */
export function registerStatusRoute(routes: Routes, kernel: Kernel, leases: Leases): void {
  routes.workspace({
    method: 'GET',
    url: '/v1/status',
    summary: 'Nodes, and which of them drives which channel of the workspace',
    tag: 'status',
    permission: 'channels.read',
    answers: { 200: Status },
    handler: async ({ scope }) => {
      const facts = await readStatus(kernel, leases.times, leases);
      return { body: viewFor(scope, facts), headers: { 'cache-control': 'no-store' } };
    },
  });
}

function viewFor({ workspaceId, kernel }: Scope, facts: StatusFacts): z.input<typeof Status> {
  return {
    answered_by: kernel.node.bootId,
    nodes: facts.nodes.map(node => ({
      boot_id: node.bootId,
      node_id: node.nodeId,
      roles: node.roles,
      started_at: node.startedAt.toISOString(),
      seen_at: node.seenAt.toISOString(),
      ...standingOf(node, facts.work),
    })),
    leases: facts.leases.flatMap(lease =>
      lease.channelId === null || lease.workspaceId !== workspaceId
        ? []
        : [
            {
              channel_id: lease.channelId,
              boot_id: lease.bootId,
              fence: lease.fence,
              taken_at: lease.takenAt.toISOString(),
              expires_in_ms: Math.max(0, lease.leftMs),
            },
          ],
    ),
    waiting: facts.waiting
      .filter(one => one.workspaceId === workspaceId)
      .map(({ channelId, reason }) => ({ channel_id: channelId, reason })),
  };
}
