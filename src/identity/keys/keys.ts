import type { Kernel, Tx } from '../../kernel/index.ts';
import { tokenHash } from '../logins/tokens.ts';
import type { KeyScope } from '../schema.ts';
import { isWellFormed } from './key-text.ts';

/** What a request with an API key may do, and where. */
export type OpenKey = {
  id: string;
  workspace: { id: string; slug: string };
  scopes: KeyScope[];
  /** It acts on some channels only; the room of the channels knows on which. */
  someChannels: boolean;
};

const USED_EVERY_MS = 60_000;

/** The key that the text stands for, if it still opens anything; remembers, by the minute, that it was used. */
export async function keyOpenedBy(tx: Tx, kernel: Kernel, token: string): Promise<OpenKey | undefined> {
  if (!isWellFormed(token)) return undefined;
  const now = kernel.clock.now();
  const row = await tx
    .selectFrom('api_keys as k')
    .innerJoin('workspaces as w', 'w.id', 'k.workspace_id')
    .innerJoin('instance_settings as i', 'i.epoch', 'k.instance_epoch')
    .select(['k.id', 'k.workspace_id', 'w.slug', 'k.scopes', 'k.some_channels', 'k.used_at'])
    .where('k.token_hash', '=', tokenHash(token))
    .where('k.revoked_at', 'is', null)
    .where('w.deletion_due_at', 'is', null)
    .where(where => where.or([where('k.expires_at', 'is', null), where('k.expires_at', '>', now)]))
    .executeTakeFirst();
  if (!row) return undefined;
  if (now.getTime() - (row.used_at?.getTime() ?? 0) > USED_EVERY_MS) await use(tx, row, now);
  return {
    id: row.id,
    workspace: { id: row.workspace_id, slug: row.slug },
    scopes: row.scopes as KeyScope[],
    someChannels: row.some_channels,
  };
}

async function use(tx: Tx, row: { workspace_id: string; id: string }, now: Date): Promise<void> {
  await tx
    .updateTable('api_keys')
    .set({ used_at: now })
    .where('workspace_id', '=', row.workspace_id)
    .where('id', '=', row.id)
    .execute();
}
