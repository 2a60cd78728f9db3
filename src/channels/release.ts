import { sql } from 'kysely';
import { AppError, inWorkspace, type Scope } from '../kernel/index.ts';
import { LEASE_PREFIX } from './driver/look.ts';
import { remove } from './service.ts';

/**
 * Takes away every channel of a workspace that goes, and answers whether all have been let go of: logged out at the
 * provider, without credentials, with nothing left to hand on, and driven by no node. To be asked until it is so.
 */
export async function releaseChannels(scope: Scope): Promise<boolean> {
  const standing = await inWorkspace(scope, tx =>
    tx
      .selectFrom('channels')
      .select('id')
      .where('workspace_id', '=', scope.workspaceId)
      .where('wanted', '<>', 'deleted')
      .execute(),
  );
  for (const { id } of standing) await remove(scope, id).catch(unlessGone);
  return scope.kernel.database.inEngine('channels.released', async tx => {
    const { rows } = await sql<{ released: boolean }>`
      select not exists (
        select from channels c
        where c.workspace_id = ${scope.workspaceId} and (
          c.wanted <> 'deleted' or c.status <> 'unpaired'
          or exists (select from channel_credentials k where k.workspace_id = c.workspace_id and k.channel_id = c.id)
          or exists (select from intake_pending p where p.workspace_id = c.workspace_id and p.channel_id = c.id)
          or exists (select from leases l where l.name = ${LEASE_PREFIX} || c.id and l.holder is not null
            and l.expires_at > now()))
      ) as released`.execute(tx);
    return rows[0]?.released === true;
  });
}

/** Somebody else took it away at the same moment. */
function unlessGone(error: unknown): void {
  if (!(error instanceof AppError && error.code === 'not_found')) throw error;
}
