import { AppError, type Tx } from '../../kernel/index.ts';

/**
 * Refuses to let a user go who alone owns a workspace, and names those; one that is to be deleted needs nobody. Holds the
 * rows of all workspaces of the user until the end of the transaction, so that none is left by its last two owners at
 * once, nor by others who count on this one. Throws 409.
 */
export async function refuseOnlyOwner(tx: Tx, userId: string): Promise<void> {
  const all = await tx
    .selectFrom('workspaces as w')
    .select(['w.id', 'w.slug', 'w.deletion_due_at'])
    .where('w.id', 'in', of =>
      of.selectFrom('members').select('members.workspace_id').where('members.user_id', '=', userId),
    )
    .orderBy('w.id')
    .forUpdate()
    .execute();
  const standing = all.filter(one => one.deletion_due_at === null);
  if (standing.length === 0) return;
  const owners = await tx
    .selectFrom('members')
    .select(['workspace_id', 'user_id'])
    .where('role', '=', 'owner')
    .where(
      'workspace_id',
      'in',
      standing.map(one => one.id),
    )
    .execute();
  const owns = new Set(owners.filter(row => row.user_id === userId).map(row => row.workspace_id));
  const safe = new Set(owners.filter(row => row.user_id !== userId).map(row => row.workspace_id));
  const alone = standing.filter(one => owns.has(one.id) && !safe.has(one.id)).map(one => one.slug);
  if (alone.length === 0) return;
  throw new AppError(
    'illegal_state',
    `Nobody else owns ${alone.join(', ')}. Make somebody else an owner there first, or delete the workspace.`,
    { extra: { workspaces: alone } },
  );
}

/** Throws 409 for a workspace whose owners are all gone. */
export async function refuseOwnerless(tx: Tx, workspaceId: string): Promise<void> {
  const owner = await tx
    .selectFrom('members')
    .select('user_id')
    .where('workspace_id', '=', workspaceId)
    .where('role', '=', 'owner')
    .limit(1)
    .executeTakeFirst();
  if (owner) return;
  throw new AppError('illegal_state', 'The owners of this workspace have deleted their accounts: it goes.');
}
