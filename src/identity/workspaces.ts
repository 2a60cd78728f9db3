import { AppError, isUniqueViolation, type Kernel, newId } from '../kernel/index.ts';
import type { Role } from './schema.ts';

/** Creates a workspace and returns its id. Throws 409 `conflict` when the short name is taken. */
export async function createWorkspace(
  kernel: Kernel,
  workspace: { slug: string; name: string },
): Promise<string> {
  const id = newId();
  try {
    await kernel.database.inEngine('identity.create_workspace', tx =>
      tx
        .insertInto('workspaces')
        .values({ id, ...workspace })
        .execute(),
    );
  } catch (error) {
    if (!isUniqueViolation(error)) throw error;
    throw new AppError('conflict', `There is a workspace "${workspace.slug}" already.`, { cause: error });
  }
  return id;
}

/** Makes the user a member, or gives the member another role. */
export async function addMember(
  kernel: Kernel,
  member: { workspaceId: string; userId: string; role: Role },
): Promise<void> {
  await kernel.database.inEngine('identity.add_member', tx =>
    tx
      .insertInto('members')
      .values({ workspace_id: member.workspaceId, user_id: member.userId, role: member.role })
      .onConflict(conflict =>
        conflict.columns(['workspace_id', 'user_id']).doUpdateSet({ role: member.role }),
      )
      .execute(),
  );
}
