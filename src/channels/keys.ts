import { type RawBuilder, sql } from 'kysely';
import type { ChannelsOfKeys } from '../identity/index.ts';
import { invalidField, inWorkspace, type Scope } from '../kernel/index.ts';

/** Which channels API keys are held to, as far as they are. Plugged into the room of the keys by main. */
export const channelsOfKeys: ChannelsOfKeys = {
  hold: async (tx, scope, keyId, channelIds) => {
    const ids = [...new Set(channelIds)];
    const there = await tx
      .selectFrom('channels')
      .select('id')
      .where('workspace_id', '=', scope.workspaceId)
      .where('id', 'in', ids)
      .where('wanted', '<>', 'deleted')
      .forKeyShare()
      .execute();
    if (there.length < ids.length)
      throw invalidField('channels', 'There is no such channel in this workspace. Choose another one.');
    await tx
      .insertInto('api_key_channels')
      .values(ids.map(id => ({ workspace_id: scope.workspaceId, api_key_id: keyId, channel_id: id })))
      .execute();
  },
  of: async (tx, scope, keyIds) => {
    const held = new Map<string, string[]>(keyIds.map(id => [id, []]));
    if (keyIds.length === 0) return held;
    const rows = await tx
      .selectFrom('api_key_channels')
      .select(['api_key_id', 'channel_id'])
      .where('workspace_id', '=', scope.workspaceId)
      .where('api_key_id', 'in', keyIds)
      .orderBy('channel_id')
      .execute();
    for (const row of rows) held.get(row.api_key_id)?.push(row.channel_id);
    return held;
  },
};

/**
 * Holds a query to the channels on which its caller may act: for an API key that is held to some, those; for anybody else
 * all. `column` names the id of the channel, as `c.id`. What is outside looks like what is not there.
 */
export function withinChannels(scope: Scope, column: string): RawBuilder<boolean> {
  const key = heldKey(scope);
  if (key === undefined) return sql<boolean>`true`;
  return sql<boolean>`exists (select from api_key_channels held where held.workspace_id = ${scope.workspaceId}
    and held.api_key_id = ${key} and held.channel_id = ${sql.ref(column)})`;
}

/** The same as a question about one channel, for what was not read by a query of the workspace. */
export async function mayActOn(scope: Scope): Promise<(channelId: string) => boolean> {
  const key = heldKey(scope);
  if (key === undefined) return () => true;
  const held = await inWorkspace(scope, tx => channelsOfKeys.of(tx, scope, [key]));
  return channelId => held.get(key)?.includes(channelId) === true;
}

function heldKey({ actor }: Scope): string | undefined {
  return actor.kind === 'api_key' && actor.someChannels === true ? actor.id : undefined;
}
