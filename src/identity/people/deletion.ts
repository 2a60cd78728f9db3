import { sql } from 'kysely';
import { type Author, type Kernel, record, type Tx, wakeAfterCommit } from '../../kernel/index.ts';
import { forgetTriesOf } from '../defence/failures.ts';
import { recheckStreams } from '../logins/logins.ts';
import { refuseOnlyOwner } from '../workspaces/owners.ts';

type Leaving = Awaited<ReturnType<typeof lockUser>> & object;

/**
 * Deletes a user for good, whoever decided it: memberships, logins, the second factor and links go, API keys and
 * invitations that the person made end. What happened keeps the id alone. Answers with who it was, undefined for nobody.
 * Throws 409 for the only owner of a workspace.
 */
export async function deletePerson(
  tx: Tx,
  kernel: Kernel,
  userId: string,
  by: Author,
): Promise<Leaving | undefined> {
  const user = await lockUser(tx, userId);
  if (!user) return undefined;
  await refuseOnlyOwner(tx, userId);
  await endKeys(tx, kernel, userId, by);
  await leaveWorkspaces(tx, kernel, userId, by);
  await forgetTriesOf(tx, userId);
  await tx.deleteFrom('users').where('id', '=', userId).execute();
  await forgetNames(tx, user);
  recheckStreams(userId);
  return user;
}

/** Nobody makes the user a member of anything meanwhile. */
function lockUser(tx: Tx, id: string) {
  return tx
    .selectFrom('users')
    .select(['id', 'email', 'name', 'username', 'locale', 'time_zone'])
    .where('id', '=', id)
    .forUpdate()
    .executeTakeFirst();
}

async function endKeys(tx: Tx, kernel: Kernel, userId: string, by: Author): Promise<void> {
  const keys = await tx
    .updateTable('api_keys')
    .set({ revoked_at: kernel.clock.now() })
    .where('created_by', '=', userId)
    .where('revoked_at', 'is', null)
    .returning(['workspace_id', 'id', 'name'])
    .execute();
  for (const { workspace_id: workspaceId, id, name } of keys) {
    const subject = { type: 'api_key', id };
    await record(tx, { ...by, workspaceId }, { type: 'key.revoked', subject, payload: { name } });
    wakeAfterCommit('gate', id);
  }
}

async function leaveWorkspaces(tx: Tx, kernel: Kernel, userId: string, by: Author): Promise<void> {
  await tx
    .updateTable('invitations')
    .set({ revoked_at: kernel.clock.now() })
    .where('created_by', '=', userId)
    .where('accepted_at', 'is', null)
    .where('revoked_at', 'is', null)
    .execute();
  const memberships = await tx
    .deleteFrom('members')
    .where('user_id', '=', userId)
    .returning(['workspace_id', 'role'])
    .execute();
  const isOwnWish = by.actor.kind === 'user' && by.actor.id === userId;
  const type = isOwnWish ? 'member.left' : 'member.removed';
  for (const { workspace_id: workspaceId, role } of memberships) {
    const subject = { type: 'user', id: userId };
    await record(tx, { ...by, workspaceId }, { type, subject, payload: { before: { role } } });
  }
}

/** Where the name or the address stands besides the row of the user, which is gone. */
async function forgetNames(tx: Tx, { id, email, username }: Leaving): Promise<void> {
  await sql`select convoke_erase_facts_about(${id})`.execute(tx);
  await tx.updateTable('invitations').set({ email: null }).where('accepted_by', '=', id).execute();
  const address = email?.toLowerCase() ?? null;
  const names = [address, username?.toLowerCase() ?? null];
  await sql`delete from user_links where user_id is null and lower(email) = ${address}`.execute(tx);
  await sql`
    delete from jobs where (name like 'identity.%' and payload ->> 'user_id' = ${id})
      or (name = 'identity.sign_up_mail' and lower(payload ->> 'email') = ${address})
      or (name = 'identity.reset_mail' and lower(payload ->> 'name') = any(${names}::text[]))`.execute(tx);
}
