import type { Scope, Tx } from '../kernel/index.ts';
import type { Capabilities } from './adapters/contract.ts';
import { capabilitiesOf } from './adapters/kinds.ts';
import { withinChannels } from './keys.ts';

export type ChannelForSending = { id: string; label: string; kind: string; capabilities: Capabilities };
export type GroupForSending = {
  id: string;
  channelId: string;
  providerId: string;
  subject: string;
  size: number;
  archivedAt: Date | null;
};

/**
 * A channel of the workspace that was not removed, and will not be before the end of the transaction: what is accepted
 * on it is there when its removal ends what is planned. Whether it is connected does not matter for accepting.
 */
export async function channelForSending(
  tx: Tx,
  scope: Scope,
  id: string,
): Promise<ChannelForSending | undefined> {
  const row = await tx
    .selectFrom('channels')
    .select(['id', 'label', 'kind'])
    .where('workspace_id', '=', scope.workspaceId)
    .where('id', '=', id)
    .where('wanted', '<>', 'deleted')
    .where(withinChannels(scope, 'channels.id'))
    .forKeyShare()
    .executeTakeFirst();
  return row && { ...row, capabilities: capabilitiesOf(row.kind) };
}

export async function groupForSending(
  tx: Tx,
  scope: Scope,
  id: string,
): Promise<GroupForSending | undefined> {
  const row = await tx
    .selectFrom('groups')
    .select(['id', 'channel_id', 'provider_id', 'subject', 'size', 'archived_at'])
    .where('workspace_id', '=', scope.workspaceId)
    .where('id', '=', id)
    .where(withinChannels(scope, 'groups.channel_id'))
    .executeTakeFirst();
  return (
    row && {
      id: row.id,
      channelId: row.channel_id,
      providerId: row.provider_id,
      subject: row.subject,
      size: row.size,
      archivedAt: row.archived_at,
    }
  );
}
