import { type Author, type Kernel, mintScope, readCursor, type Tx } from '../../kernel/index.ts';
import {
  closeFirst,
  deleteWorkspace,
  keepWorkspace,
  lockWorkspace,
  type WorkspaceClosing,
} from '../workspaces/workspaces.ts';
import { recordAdmin } from './activity.ts';
import { actAsAdmin } from './acts.ts';
import type { AdminWorkspace } from './schema.ts';
import { likePart, pageOf } from './users.ts';

/** All workspaces, newest first; what is in them stays theirs. */
export async function listWorkspaces(
  kernel: Kernel,
  { limit, cursor, search }: { limit: number; cursor?: string | undefined; search?: string | undefined },
) {
  const before = readCursor(cursor);
  return kernel.database.inEngine('identity.list_workspaces', async tx => {
    let rows = selectWorkspaces(tx)
      .orderBy('w.id', 'desc')
      .limit(limit + 1);
    if (before !== undefined) rows = rows.where('w.id', '<', before);
    if (search) {
      const part = likePart(search);
      rows = rows.where(where => where.or([where('w.name', 'ilike', part), where('w.slug', 'ilike', part)]));
    }
    return pageOf((await rows.execute()).map(workspaceOf), limit);
  });
}

/**
 * Closes a workspace as its owner may, with the same days to keep it. `closing` comes first, so that nothing of it goes
 * out any more. The workspace sees it in its own activity, too.
 */
export async function closeWorkspace(
  kernel: Kernel,
  by: Author,
  { id, slug }: { id: string; slug: string },
  closing: WorkspaceClosing,
): Promise<AdminWorkspace> {
  const scope = mintScope(kernel, id, by.actor, by);
  await closeFirst(scope, slug, closing);
  return actAsAdmin(kernel, by, 'identity.close_workspace', async tx => {
    await deleteWorkspace(scope, slug);
    await recordAdmin(tx, by, 'admin.workspace_deletion_asked', { slug: slug.trim() }, id);
    return readWorkspace(tx, id);
  });
}

/**
 * Keeps a workspace that was to be deleted, also one whose owners are all gone: a member becomes its owner. Its sending
 * stays parked until somebody arms it. Throws 409 for one without any member.
 */
export function reopenWorkspace(kernel: Kernel, by: Author, id: string): Promise<AdminWorkspace> {
  return actAsAdmin(kernel, by, 'identity.reopen_workspace', async tx => {
    const { slug } = await lockWorkspace(tx, id);
    await keepWorkspace(mintScope(kernel, id, by.actor, by), 'admin');
    await recordAdmin(tx, by, 'admin.workspace_kept', { slug }, id);
    return readWorkspace(tx, id);
  });
}

async function readWorkspace(tx: Tx, id: string): Promise<AdminWorkspace> {
  return workspaceOf(await selectWorkspaces(tx).where('w.id', '=', id).executeTakeFirstOrThrow());
}

function selectWorkspaces(tx: Tx) {
  return tx
    .selectFrom('workspaces as w')
    .leftJoin('activity_heads as h', 'h.workspace_id', 'w.id')
    .select(['w.id', 'w.slug', 'w.name', 'w.created_at', 'w.deletion_due_at', 'h.seq'])
    .select(of =>
      of
        .selectFrom('members as m')
        .select(member => member.fn.countAll<number>().as('count'))
        .whereRef('m.workspace_id', '=', 'w.id')
        .as('members'),
    );
}

type Row = Awaited<ReturnType<ReturnType<typeof selectWorkspaces>['executeTakeFirstOrThrow']>>;

function workspaceOf({ seq, ...row }: Row): AdminWorkspace {
  return {
    ...row,
    members: Number(row.members),
    facts: seq ?? 0,
    created_at: row.created_at.toISOString(),
    deletion_due_at: row.deletion_due_at?.toISOString() ?? null,
  };
}
