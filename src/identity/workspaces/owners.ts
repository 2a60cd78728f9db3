import { AppError, record, type Scope, type Tx } from '../../kernel/index.ts';
import { recheckStreams } from '../logins/logins.ts';
import { Role } from '../schema.ts';

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
  if (await hasOwner(tx, workspaceId)) return;
  throw new AppError(
    'illegal_state',
    'The owners of this workspace have deleted their accounts. An admin of the installation can keep it.',
  );
}

/**
 * Where all owners are gone, the member of the highest role who has been there longest becomes one. Throws 409 where
 * nobody is left, and says which command makes somebody an owner.
 */
export async function giveOwner(tx: Tx, scope: Scope, slug: string): Promise<void> {
  const { workspaceId } = scope;
  if (await hasOwner(tx, workspaceId)) return;
  const members = await tx
    .selectFrom('members')
    .select(['user_id', 'role'])
    .where('workspace_id', '=', workspaceId)
    .orderBy('created_at')
    .orderBy('user_id')
    .execute();
  const heir = Role.options.flatMap(role => members.filter(one => one.role === role))[0];
  if (!heir) throw new AppError('illegal_state', nobodyLeft(slug));
  await tx
    .updateTable('members')
    .set({ role: 'owner' })
    .where('workspace_id', '=', workspaceId)
    .where('user_id', '=', heir.user_id)
    .execute();
  recheckStreams(heir.user_id);
  const payload = { before: { role: heir.role }, after: { role: 'owner' } };
  await record(tx, scope, {
    type: 'member.role_changed',
    subject: { type: 'user', id: heir.user_id },
    payload,
  });
}

async function hasOwner(tx: Tx, workspaceId: string): Promise<boolean> {
  const owner = await tx
    .selectFrom('members')
    .select('user_id')
    .where('workspace_id', '=', workspaceId)
    .where('role', '=', 'owner')
    .limit(1)
    .executeTakeFirst();
  return owner !== undefined;
}

function nobodyLeft(slug: string): string {
  return `Nobody is left in this workspace. Add an owner first, on the server, then keep it: npm run convoke -- create-user <username> --role owner --workspace ${slug}`;
}
