import { AppError, invalidField, notFound, record, type Scope, type Tx } from '../../kernel/index.ts';
import { recheckStreams } from '../logins/logins.ts';
import { mayGive } from '../policy.ts';
import type { Role } from '../schema.ts';
import type { Member } from './schema.ts';
import { lockWorkspace } from './workspaces.ts';

const LAST_OWNER = 'A workspace needs an owner. Make somebody else an owner first.';

/** All members, by name. */
export function listMembers(scope: Scope): Promise<Member[]> {
  return scope.kernel.database.inEngine('identity.members', async tx => {
    const rows = await tx
      .selectFrom('members as m')
      .innerJoin('users as u', 'u.id', 'm.user_id')
      .select(['u.id', 'u.username', 'u.email', 'u.name', 'm.role', 'm.created_at'])
      .where('m.workspace_id', '=', scope.workspaceId)
      .orderBy('u.name')
      .orderBy('u.username')
      .orderBy('u.id')
      .execute();
    return rows.map(({ role, created_at, ...user }) => ({
      user,
      role: role as Role,
      created_at: created_at.toISOString(),
    }));
  });
}

/**
 * Gives a member another role. Only owners make owners or touch one; the last owner stays one, whoever else tries
 * at the same moment. Throws 404, 403, 409.
 */
export function changeRole(scope: Scope, userId: string, role: Role): Promise<void> {
  return changeMembers(scope, async (tx, roleOf) => {
    const before = roleOf(userId);
    if (!before) throw notFound();
    if (before === role) return;
    refuseBeyond(roleOf(actorId(scope)), [before, role]);
    await tx
      .updateTable('members')
      .set({ role })
      .where('workspace_id', '=', scope.workspaceId)
      .where('user_id', '=', userId)
      .execute();
    recheckStreams(userId);
    await record(tx, scope, factOf(userId, 'role_changed', { before: { role: before }, after: { role } }));
  });
}

/** Ends a membership. The person keeps the account. Throws 404, 403, 409. */
export function removeMember(scope: Scope, userId: string): Promise<void> {
  return changeMembers(scope, async (tx, roleOf) => {
    const before = roleOf(userId);
    if (!before) throw notFound();
    refuseBeyond(roleOf(actorId(scope)), [before]);
    await removeRow(tx, scope, userId);
    await record(tx, scope, factOf(userId, 'removed', { before: { role: before } }));
  });
}

/** Ends one's own membership. Throws 409 for the last owner. */
export function leave(scope: Scope): Promise<void> {
  return changeMembers(scope, async (tx, roleOf) => {
    const userId = actorId(scope);
    const before = userId && roleOf(userId);
    if (!before) throw notFound();
    await removeRow(tx, scope, userId);
    await record(tx, scope, factOf(userId, 'left', { before: { role: before } }));
  });
}

/** One change after the other, and none that leaves the workspace without an owner. */
function changeMembers(
  scope: Scope,
  change: (tx: Tx, roleOf: (userId: string | undefined) => Role | undefined) => Promise<void>,
): Promise<void> {
  return scope.kernel.database.inEngine('identity.change_members', async tx => {
    await lockWorkspace(tx, scope.workspaceId);
    const roles = await rolesOf(tx, scope);
    await change(tx, userId => (userId === undefined ? undefined : roles.get(userId)));
    const owners = [...(await rolesOf(tx, scope)).values()].filter(role => role === 'owner');
    if (owners.length === 0) throw new AppError('illegal_state', LAST_OWNER);
  });
}

async function rolesOf(tx: Tx, scope: Scope): Promise<Map<string, Role>> {
  const rows = await tx
    .selectFrom('members')
    .select(['user_id', 'role'])
    .where('workspace_id', '=', scope.workspaceId)
    .execute();
  return new Map(rows.map(row => [row.user_id, row.role as Role]));
}

/** What somebody was allowed to when the request came in may have ended meanwhile: their role now decides. */
function refuseBeyond(mine: Role | undefined, roles: Role[]): void {
  if (mine && roles.every(role => mayGive(mine, role))) return;
  throw new AppError(
    'forbidden',
    'Only an owner can make somebody an owner, or change what an owner may do.',
  );
}

export function refuseRole(mine: Role | undefined, role: Role): void {
  if (mine && mayGive(mine, role)) return;
  throw invalidField('role', 'Only an owner can invite an owner.');
}

/** The role that whoever acts has now. */
export async function ownRole(tx: Tx, scope: Scope): Promise<Role | undefined> {
  const userId = actorId(scope);
  return userId === undefined ? undefined : (await rolesOf(tx, scope)).get(userId);
}

export function actorId({ actor }: Scope): string | undefined {
  return actor.kind === 'user' ? actor.id : undefined;
}

async function removeRow(tx: Tx, scope: Scope, userId: string): Promise<void> {
  recheckStreams(userId);
  await tx
    .deleteFrom('members')
    .where('workspace_id', '=', scope.workspaceId)
    .where('user_id', '=', userId)
    .execute();
}

function factOf(userId: string, what: string, payload: object) {
  return { type: `member.${what}`, subject: { type: 'user', id: userId }, payload };
}
