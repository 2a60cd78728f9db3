import {
  type Actor,
  AppError,
  hintAfterCommit,
  notFound,
  type Scope,
  type Tx,
  wakeAfterCommit,
} from '../kernel/index.ts';
import { recordChannel } from './activity.ts';

/** Woken with the id of a channel whose restriction begins or ends. */
export const RESTRICTION = 'restriction';

const FIRST_MS = 30 * 60_000;
const LONGEST_MS = 86_400_000;
/** A restriction so long after the one before is a first one again. */
const FORGOTTEN_MS = 7 * 86_400_000;
const SYSTEM: Actor = { kind: 'system' };

/**
 * The provider has refused a message because the number may send less for now: nothing is sent for half an hour, and
 * each further time twice as long, up to a day; longer when the provider itself says so. Several refusals at once
 * count as one.
 */
export async function restrict(
  tx: Tx,
  of: { workspaceId: string; channelId: string; reason: string }[],
  now: Date,
): Promise<void> {
  const reasons = new Map(of.map(one => [one.channelId, one]));
  const rows = await tx
    .selectFrom('channels')
    .select(['workspace_id', 'id', 'restrictions', 'restricted_at', 'restricted_until'])
    .where('workspace_id', 'in', [...new Set(of.map(one => one.workspaceId))])
    .where('id', 'in', [...reasons.keys()])
    .orderBy('id')
    .forUpdate()
    .execute();
  for (const row of rows) {
    if (row.restricted_until && row.restricted_until > now) continue;
    const forgotten = !row.restricted_at || now.getTime() - row.restricted_at.getTime() > FORGOTTEN_MS;
    const restrictions = forgotten ? 1 : row.restrictions + 1;
    const ms = Math.min(FIRST_MS * 2 ** Math.min(restrictions - 1, 10), LONGEST_MS);
    const until = new Date(now.getTime() + ms);
    const reason = reasons.get(row.id)?.reason ?? '';
    await tx
      .updateTable('channels')
      .set({ restriction_reason: reason, restricted_at: now, restricted_until: until, restrictions })
      .where('workspace_id', '=', row.workspace_id)
      .where('id', '=', row.id)
      .execute();
    const by = { workspaceId: row.workspace_id, actor: SYSTEM };
    await recordChannel(tx, by, 'channel.restricted', row.id, { reason, until: until.toISOString() });
    tell(row.workspace_id, row.id);
  }
}

/** A message that was sent first after a restriction has arrived: the channel is as before. */
export async function restrictionIsOver(
  tx: Tx,
  of: { workspaceId: string; channelId: string },
): Promise<void> {
  await tx
    .updateTable('channels')
    .set({ restriction_reason: null, restricted_until: null })
    .where('workspace_id', '=', of.workspaceId)
    .where('id', '=', of.channelId)
    .execute();
  tell(of.workspaceId, of.channelId);
}

/** A person lets the channel try earlier: one message goes first. 409 when nothing is restricted. */
export async function endRestriction(tx: Tx, scope: Scope, channelId: string): Promise<void> {
  const now = scope.kernel.clock.now();
  const row = await tx
    .selectFrom('channels')
    .select(['restricted_until', 'wanted'])
    .where('workspace_id', '=', scope.workspaceId)
    .where('id', '=', channelId)
    .forUpdate()
    .executeTakeFirst();
  if (!row || row.wanted === 'deleted') throw notFound();
  if (!row.restricted_until || row.restricted_until <= now)
    throw new AppError('illegal_state', 'Nothing keeps this channel from sending at the moment.');
  await tx
    .updateTable('channels')
    .set({ restricted_until: now })
    .where('workspace_id', '=', scope.workspaceId)
    .where('id', '=', channelId)
    .execute();
  await recordChannel(tx, scope, 'channel.resumed', channelId, {});
  tell(scope.workspaceId, channelId);
}

function tell(workspaceId: string, channelId: string): void {
  wakeAfterCommit(RESTRICTION, channelId);
  hintAfterCommit(workspaceId, 'channels', channelId);
}
