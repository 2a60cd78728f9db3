import type { Kernel, Leases, Routes, Scope } from '../kernel/index.ts';
import { mayActOn } from './keys.ts';
import { Status } from './schema.ts';
import { standingOf } from './standing.ts';
import { readStatus, type StatusFacts } from './status.ts';

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
      return { body: viewFor(scope, facts, await mayActOn(scope)), headers: { 'cache-control': 'no-store' } };
    },
  });
}

function viewFor(
  { workspaceId, kernel }: Scope,
  facts: StatusFacts,
  shows: (channelId: string) => boolean,
): Status {
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
      lease.channelId === null || lease.workspaceId !== workspaceId || !shows(lease.channelId)
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
      .filter(one => one.workspaceId === workspaceId && shows(one.channelId))
      .map(({ channelId, reason }) => ({ channel_id: channelId, reason })),
  };
}
