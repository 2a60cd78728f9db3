import { type RawBuilder, sql } from 'kysely';
import {
  addJob,
  type Kernel,
  record,
  recordForInstance,
  type Tx,
  wakeAfterCommit,
} from '../../kernel/index.ts';
import { keepAnAdmin } from '../admin/acts.ts';
import { forgetTriesOf } from '../defence/failures.ts';
import { provePassword } from '../defence/proof.ts';
import { proveSecondFactor } from '../defence/second-factor.ts';
import { recheckStreams, type Visitor } from '../logins/logins.ts';
import { refuseOnlyOwner } from '../workspaces/owners.ts';
import { happenedTo } from './notices.ts';

type Leaving = Awaited<ReturnType<typeof lockUser>> & object;

/**
 * Deletes the own account for good: memberships, logins, API keys, the second factor and links go with it. What happened
 * keeps the id alone. Throws 403 for a wrong password or code, 422 without a code that is needed, 409 for the only owner
 * of a workspace or the last admin, 429.
 */
export async function deleteAccount(
  kernel: Kernel,
  userId: string,
  proof: { password: string; code?: string | undefined },
  visitor: Visitor,
): Promise<void> {
  await provePassword(kernel, userId, proof.password);
  await proveSecondFactor(kernel, userId, proof.code);
  await kernel.database.inEngine('identity.delete_account', tx =>
    keepAnAdmin(tx, async () => {
      const user = await lockUser(tx, userId);
      if (!user) return;
      await refuseOnlyOwner(tx, userId);
      await leaveWorkspaces(tx, kernel, user, visitor);
      await forgetTriesOf(tx, userId);
      await tx.deleteFrom('users').where('id', '=', userId).execute();
      await forgetNames(tx, user);
      await tell(tx, kernel, user, visitor);
    }),
  );
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

/** The facts of it, and what the person made there to come in by. */
async function leaveWorkspaces(tx: Tx, kernel: Kernel, { id }: Leaving, { address }: Visitor): Promise<void> {
  const actor = { kind: 'user', id } as const;
  const memberships = await tx
    .deleteFrom('members')
    .where('user_id', '=', id)
    .returning(['workspace_id', 'role'])
    .execute();
  const keys = await tx
    .updateTable('api_keys')
    .set({ revoked_at: kernel.clock.now() })
    .where('created_by', '=', id)
    .where('revoked_at', 'is', null)
    .returning(['workspace_id', 'id', 'name'])
    .execute();
  for (const key of keys) {
    const subject = { type: 'api_key', id: key.id };
    const by = { workspaceId: key.workspace_id, actor, address };
    await record(tx, by, { type: 'key.revoked', subject, payload: { name: key.name } });
    wakeAfterCommit('gate', key.id);
  }
  await tx
    .updateTable('invitations')
    .set({ revoked_at: kernel.clock.now() })
    .where('created_by', '=', id)
    .where('accepted_at', 'is', null)
    .where('revoked_at', 'is', null)
    .execute();
  for (const { workspace_id: workspaceId, role } of memberships) {
    const subject = { type: 'user', id };
    const payload = { before: { role } };
    await record(tx, { workspaceId, actor, address }, { type: 'member.left', subject, payload });
  }
}

/** Where the name or the address stands besides the row of the user, which is gone. */
async function forgetNames(tx: Tx, { id, email, username }: Leaving): Promise<void> {
  await sql`select convoke_erase_facts_about(${id})`.execute(tx);
  await tx.updateTable('invitations').set({ email: null }).where('accepted_by', '=', id).execute();
  const names = [email, username].flatMap(name => name?.toLowerCase() ?? []);
  const among = (field: string): RawBuilder<boolean> =>
    sql`lower(payload ->> ${field}) = any(${names}::text[])`;
  await sql`
    delete from jobs where name like 'identity.%'
      and (payload ->> 'user_id' = ${id} or ${among('name')} or ${among('email')})`.execute(tx);
}

async function tell(tx: Tx, kernel: Kernel, user: Leaving, visitor: Visitor): Promise<void> {
  const { id, email, name, locale, time_zone } = user;
  const by = { actor: { kind: 'user', id } as const, address: visitor.address };
  const subject = { type: 'user', id };
  await recordForInstance(tx, by, { type: 'identity.account_deleted', subject, payload: {} });
  recheckStreams(id);
  if (email === null) return;
  const happened = happenedTo(kernel, visitor);
  await addJob(tx, 'identity.account_deleted_mail', { email, name, locale, time_zone, ...happened });
}
