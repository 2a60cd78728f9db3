import {
  AppError,
  addJob,
  invalidField,
  inWorkspace,
  isUniqueViolation,
  type Kernel,
  mintScope,
  newId,
  notFound,
  record,
  type Scope,
  type Tx,
} from '../../kernel/index.ts';
import type { Role } from '../schema.ts';
import { giveOwner, refuseOwnerless } from './owners.ts';
import type { Workspace } from './schema.ts';
import { slugOf } from './slug.ts';

/** Somebody who is signed in, and where from. */
export type Person = { userId: string; address: string };

/** Done when the days to keep a workspace are over: its rows go. */
export const PURGE_JOB = 'identity.purge_workspace';

/** How long a deleted workspace can be brought back. */
const GRACE_MS = 14 * 86_400_000;
/** Names that others took first get a number. */
const MOST_TRIES = 20;

/** Creates a workspace and returns its id. Throws 409 `conflict` when the short name is taken. */
export async function createWorkspace(
  kernel: Kernel,
  workspace: { slug: string; name: string; createdBy?: string },
): Promise<string> {
  const id = newId();
  const { slug, name, createdBy = null } = workspace;
  try {
    await kernel.database.inEngine('identity.create_workspace', tx =>
      tx.insertInto('workspaces').values({ id, slug, name, created_by: createdBy }).execute(),
    );
  } catch (error) {
    throw slugTaken(error, slug);
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

/**
 * A workspace of one's own. Who may: everybody where people may sign up by themselves, else those who run the
 * installation. Throws 403, and 409 when the short name that was asked for is taken.
 */
export async function foundWorkspace(
  kernel: Kernel,
  by: Person,
  wanted: { name: string; slug?: string | undefined },
): Promise<string> {
  const { userId, address } = by;
  await refuseWhoMayNot(kernel, userId);
  for (let attempt = 1; ; attempt++) {
    const slug = wanted.slug ?? slugOf(wanted.name, attempt);
    try {
      return await kernel.database.inEngine('identity.found_workspace', async tx => {
        const id = await createWorkspace(kernel, { slug, name: wanted.name, createdBy: userId });
        await addMember(kernel, { workspaceId: id, userId, role: 'owner' });
        const scope = mintScope(kernel, id, { kind: 'user', id: userId }, { address });
        await record(tx, scope, factOf(id, 'founded', { name: wanted.name, slug }));
        return id;
      });
    } catch (error) {
      const taken = error instanceof AppError && error.code === 'conflict';
      if (!taken || wanted.slug !== undefined || attempt === MOST_TRIES) throw error;
    }
  }
}

export function readWorkspace(scope: Scope): Promise<Workspace> {
  return inWorkspace(scope, async tx => {
    const row = await own(tx, scope).executeTakeFirst();
    if (!row) throw notFound();
    return {
      id: row.id,
      slug: row.slug,
      name: row.name,
      created_at: row.created_at.toISOString(),
      deletion_due_at: row.deletion_due_at?.toISOString() ?? null,
    };
  });
}

/** Renames it. Links with the old short name stop working. Throws 409 when the short name is taken. */
export async function changeWorkspace(
  scope: Scope,
  change: { name?: string | undefined; slug?: string | undefined },
): Promise<void> {
  const wanted = Object.entries(change).filter(([, value]) => value !== undefined);
  if (wanted.length === 0) return;
  try {
    await scope.kernel.database.inEngine('identity.change_workspace', async tx => {
      const before = await lockWorkspace(tx, scope.workspaceId);
      await tx
        .updateTable('workspaces')
        .set(Object.fromEntries(wanted))
        .where('id', '=', scope.workspaceId)
        .execute();
      const { name, slug } = before;
      await record(
        tx,
        scope,
        factOf(scope.workspaceId, 'changed', { before: { name, slug }, after: change }),
      );
    });
  } catch (error) {
    throw slugTaken(error, change.slug ?? '');
  }
}

/** Called before a workspace is closed, so that nothing of it goes out any more; filled by main.ts. */
export type WorkspaceClosing = (scope: Scope) => Promise<void>;

/** The step before `deleteWorkspace`, in a transaction of its own; nothing happens when another name was typed. */
export async function closeFirst(scope: Scope, slug: string, closing: WorkspaceClosing): Promise<void> {
  const known = await scope.kernel.database.inEngine('identity.close_workspace', tx =>
    lockWorkspace(tx, scope.workspaceId),
  );
  refuseWhatGoes(known);
  if (known.slug === slug.trim()) await closing(scope);
}

/**
 * Closes it for everybody but its owners, who may keep it after all for 14 days. `slug` is what they typed to show
 * that they mean it. Repeating it does not move the end.
 */
export function deleteWorkspace(scope: Scope, slug: string): Promise<void> {
  return scope.kernel.database.inEngine('identity.delete_workspace', async tx => {
    const before = await lockWorkspace(tx, scope.workspaceId);
    if (before.slug !== slug.trim()) {
      throw invalidField('slug', `Type ${before.slug} to delete this workspace.`);
    }
    if (before.deletion_due_at) return;
    const due = new Date(scope.kernel.clock.now().getTime() + GRACE_MS);
    await setDeletion(tx, scope, due);
    await addJob(tx, PURGE_JOB, { workspace_id: scope.workspaceId }, due);
    await record(tx, scope, factOf(scope.workspaceId, 'deletion_asked', { due_at: due.toISOString() }));
  });
}

/**
 * Keeps a workspace that was to be deleted. Throws 409 once its rows are going, or all its owners are gone; an admin of
 * the installation keeps it all the same, with a member as the new owner.
 */
export function keepWorkspace(scope: Scope, as: 'owner' | 'admin' = 'owner'): Promise<void> {
  return scope.kernel.database.inEngine('identity.keep_workspace', async tx => {
    const before = await lockWorkspace(tx, scope.workspaceId);
    if (!before.deletion_due_at) return;
    refuseWhatGoes(before);
    if (as === 'admin') await giveOwner(tx, scope, before.slug);
    else await refuseOwnerless(tx, scope.workspaceId);
    await setDeletion(tx, scope, null);
    await record(tx, scope, factOf(scope.workspaceId, 'kept', {}));
  });
}

/** Whoever changes what must stay true of a workspace as a whole holds its row: one after the other. */
export async function lockWorkspace(tx: Tx, id: string) {
  const row = await tx
    .selectFrom('workspaces')
    .select(['name', 'slug', 'deletion_due_at', 'purge_began_at'])
    .where('id', '=', id)
    .forUpdate()
    .executeTakeFirst();
  if (!row) throw notFound();
  return row;
}

function refuseWhatGoes({ purge_began_at: began }: { purge_began_at: Date | null }): void {
  if (!began) return;
  throw new AppError('illegal_state', 'The days to keep this workspace are over: it is being deleted.');
}

function own(tx: Tx, scope: Scope) {
  return tx
    .selectFrom('workspaces')
    .select(['id', 'slug', 'name', 'created_at', 'deletion_due_at'])
    .where('id', '=', scope.workspaceId);
}

function setDeletion(tx: Tx, scope: Scope, due: Date | null) {
  return tx
    .updateTable('workspaces')
    .set({ deletion_due_at: due })
    .where('id', '=', scope.workspaceId)
    .execute();
}

async function refuseWhoMayNot(kernel: Kernel, userId: string): Promise<void> {
  const row = await kernel.database.inEngine('identity.may_found', tx =>
    tx
      .selectFrom('users')
      .innerJoin('instance_settings as i', join => join.onTrue())
      .select(['users.is_admin', 'i.sign_up'])
      .where('users.id', '=', userId)
      .executeTakeFirst(),
  );
  if (row?.is_admin || row?.sign_up === 'open') return;
  throw new AppError(
    'forbidden',
    'Here only those who run this Convoke make workspaces. Ask them for one, or for an invitation to theirs.',
  );
}

function factOf(id: string, what: string, payload: object) {
  return { type: `workspace.${what}`, subject: { type: 'workspace', id }, payload };
}

function slugTaken(error: unknown, slug: string): unknown {
  if (!isUniqueViolation(error)) return error;
  return new AppError('conflict', `There is a workspace "${slug}" already. Choose another short name.`, {
    cause: error,
  });
}
