import {
  AppError,
  inWorkspace,
  newId,
  notFound,
  record,
  type Scope,
  type Tx,
  wakeAfterCommit,
} from '../../kernel/index.ts';
import { tokenHash } from '../logins/tokens.ts';
import type { ApiKey, KeyScope } from '../schema.ts';
import { epochNow } from '../settings.ts';
import { newKeyText, shownPrefix } from './key-text.ts';

/**
 * On which channels a key may act. Declared here, filled by main.ts with the room of the channels, which keeps it.
 */
export type ChannelsOfKeys = {
  /** Holds the key to these channels. Throws 422 on `channels` for one that is not in the workspace. */
  hold(tx: Tx, scope: Scope, keyId: string, channelIds: string[]): Promise<void>;
  /** The channels of those keys that are held to some. */
  of(tx: Tx, scope: Scope, keyIds: string[]): Promise<Map<string, string[]>>;
};

type NewKey = {
  name: string;
  scopes: KeyScope[];
  expires_at?: string | undefined;
  channels?: string[] | undefined;
};

const MOST_KEYS = 100;

/** Makes a key; its text is given back this once. */
export async function createKey(
  scope: Scope,
  given: NewKey,
  channels: ChannelsOfKeys,
): Promise<{ id: string; key: string }> {
  const key = newKeyText();
  const id = newId();
  const epoch = await scope.kernel.database.inEngine('identity.epoch', epochNow);
  await inWorkspace(scope, async tx => {
    if ((await aliveKeys(tx, scope)) >= MOST_KEYS)
      throw new AppError(
        'illegal_state',
        `There are ${MOST_KEYS} keys already. Revoke one that is not needed.`,
      );
    await insertKey(tx, scope, { id, key, epoch, ...given });
    if (given.channels !== undefined) await channels.hold(tx, scope, id, given.channels);
    const { name, scopes, expires_at = null } = given;
    await tell(tx, scope, id, 'key.created', { name, scopes, expires_at, channels: given.channels ?? null });
  });
  return { id, key };
}

async function insertKey(
  tx: Tx,
  scope: Scope,
  given: NewKey & { id: string; key: string; epoch: number },
): Promise<void> {
  await tx
    .insertInto('api_keys')
    .values({
      workspace_id: scope.workspaceId,
      id: given.id,
      name: given.name,
      prefix: shownPrefix(given.key),
      token_hash: tokenHash(given.key),
      scopes: given.scopes,
      some_channels: given.channels !== undefined,
      instance_epoch: given.epoch,
      created_by: 'id' in scope.actor ? scope.actor.id : scope.workspaceId,
      created_at: scope.kernel.clock.now(),
      expires_at: given.expires_at === undefined ? null : new Date(given.expires_at),
    })
    .execute();
}

/** Gives it another name. Throws 404. */
export function renameKey(scope: Scope, id: string, name: string): Promise<void> {
  return inWorkspace(scope, async tx => {
    const before = await tx
      .selectFrom('api_keys')
      .select('name')
      .where('workspace_id', '=', scope.workspaceId)
      .where('id', '=', id)
      .where('revoked_at', 'is', null)
      .forUpdate()
      .executeTakeFirst();
    if (!before) throw notFound();
    if (before.name === name) return;
    await tx
      .updateTable('api_keys')
      .set({ name })
      .where('workspace_id', '=', scope.workspaceId)
      .where('id', '=', id)
      .execute();
    await tell(tx, scope, id, 'key.renamed', { before: before.name, after: name });
  });
}

/** Ends it for good, from the next request on; its streams end at once. Throws 404, also for one that is revoked. */
export function revokeKey(scope: Scope, id: string): Promise<void> {
  return inWorkspace(scope, async tx => {
    const revoked = await tx
      .updateTable('api_keys')
      .set({ revoked_at: scope.kernel.clock.now() })
      .where('workspace_id', '=', scope.workspaceId)
      .where('id', '=', id)
      .where('revoked_at', 'is', null)
      .returning('name')
      .executeTakeFirst();
    if (!revoked) throw notFound();
    await tell(tx, scope, id, 'key.revoked', { name: revoked.name });
    wakeAfterCommit('gate', id);
  });
}

/** Those that are not revoked, newest first. */
export function listKeys(scope: Scope, channels: ChannelsOfKeys): Promise<ApiKey[]> {
  return inWorkspace(scope, async tx => {
    const rows = await tx
      .selectFrom('api_keys')
      .selectAll()
      .where('workspace_id', '=', scope.workspaceId)
      .where('revoked_at', 'is', null)
      .orderBy('id', 'desc')
      .execute();
    const held = await channels.of(
      tx,
      scope,
      rows.filter(row => row.some_channels).map(row => row.id),
    );
    return rows.map(row => ({
      id: row.id,
      name: row.name,
      prefix: row.prefix,
      scopes: row.scopes as KeyScope[],
      channels: row.some_channels ? (held.get(row.id) ?? []) : null,
      created_by: row.created_by,
      created_at: row.created_at.toISOString(),
      expires_at: row.expires_at?.toISOString() ?? null,
      used_at: row.used_at?.toISOString() ?? null,
    }));
  });
}

async function aliveKeys(tx: Tx, scope: Scope): Promise<number> {
  const { count } = await tx
    .selectFrom('api_keys')
    .select(({ fn }) => fn.countAll<number>().as('count'))
    .where('workspace_id', '=', scope.workspaceId)
    .where('revoked_at', 'is', null)
    .executeTakeFirstOrThrow();
  return Number(count);
}

function tell(tx: Tx, scope: Scope, id: string, type: string, payload: object): Promise<void> {
  return record(tx, scope, { type, subject: { type: 'api_key', id }, payload });
}
