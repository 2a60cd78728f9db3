import { addJob, type Kernel, recordForInstance, type Tx } from '../../kernel/index.ts';
import { keepAnAdmin, refuseLastAdmin } from '../admin/acts.ts';
import { provePassword } from '../defence/proof.ts';
import { proveSecondFactor } from '../defence/second-factor.ts';
import type { Visitor } from '../logins/logins.ts';
import { refuseOnlyOwner } from '../workspaces/owners.ts';
import { deletePerson } from './deletion.ts';
import { happenedTo } from './notices.ts';

/**
 * Deletes the own account for good. Throws 403 for a wrong password or code, 422 without a code that is needed, 409 for
 * the only owner of a workspace or the last admin, 429.
 */
export async function deleteAccount(
  kernel: Kernel,
  userId: string,
  proof: { password: string; code?: string | undefined },
  visitor: Visitor,
): Promise<void> {
  const { database } = kernel;
  await provePassword(kernel, userId, proof.password);
  // Looked at before, too: a code works once, and what is refused should not use it up.
  await database.inEngine('identity.may_delete_account', async tx => {
    await refuseOnlyOwner(tx, userId);
    await refuseLastAdmin(tx, userId);
  });
  await proveSecondFactor(kernel, userId, proof.code);
  await database.inEngine('identity.delete_account', tx =>
    keepAnAdmin(tx, async () => {
      const by = { actor: { kind: 'user', id: userId } as const, address: visitor.address };
      const user = await deletePerson(tx, kernel, userId, by);
      if (!user) return;
      const subject = { type: 'user', id: userId };
      await recordForInstance(tx, by, { type: 'identity.account_deleted', subject, payload: {} });
      await tell(tx, kernel, user, visitor);
    }),
  );
}

async function tell(
  tx: Tx,
  kernel: Kernel,
  user: NonNullable<Awaited<ReturnType<typeof deletePerson>>>,
  visitor: Visitor,
): Promise<void> {
  const { email, name, locale, time_zone } = user;
  if (email === null) return;
  const happened = happenedTo(kernel, visitor);
  await addJob(tx, 'identity.account_deleted_mail', { email, name, locale, time_zone, ...happened });
}
