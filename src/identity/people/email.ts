import {
  addJob,
  invalidField,
  isUniqueViolation,
  type Kernel,
  recordForInstance,
} from '../../kernel/index.ts';
import { provePassword } from '../defence/proof.ts';
import type { Visitor } from '../logins/logins.ts';
import { askForMail } from './limits.ts';
import { followLink, linkOver } from './links.ts';
import { happenedTo } from './notices.ts';

/**
 * Asks for a link to the new address; until it is followed nothing changes. Whether the address belongs to somebody else
 * is told to that person alone. Throws 403 for a wrong password, 429.
 */
export async function askToChangeEmail(
  kernel: Kernel,
  userId: string,
  given: { email: string; password: string },
  address: string,
): Promise<void> {
  await provePassword(kernel, userId, given.password);
  const payload = { user_id: userId, email: given.email };
  await askForMail(kernel, { job: 'identity.confirm_email_mail', who: userId, payload, address });
}

/**
 * The address of the link is the user's from now on. Only who asked for it may confirm it, so that a link sent to a
 * stranger cannot tie the stranger's address to somebody else's account. Throws 422 when it is over or taken.
 */
export async function confirmEmail(
  kernel: Kernel,
  userId: string,
  token: string,
  visitor: Visitor,
): Promise<void> {
  await kernel.database.inEngine('identity.confirm_email', async tx => {
    const link = await followLink(tx, kernel, token, 'email');
    if (link.userId !== userId || link.email === null) throw linkOver('email');
    const before = await tx
      .selectFrom('users')
      .select(['email', 'name', 'locale', 'time_zone'])
      .where('id', '=', userId)
      .forUpdate()
      .executeTakeFirstOrThrow();
    try {
      await tx.updateTable('users').set({ email: link.email }).where('id', '=', userId).execute();
    } catch (error) {
      if (!isUniqueViolation(error, 'users_email')) throw error;
      throw invalidField('token', 'This address belongs to another account by now.');
    }
    // What went to the old address sets no password any more.
    await tx
      .deleteFrom('user_links')
      .where('user_id', '=', userId)
      .where('purpose', '=', 'reset')
      .where('used_at', 'is', null)
      .execute();
    const by = { actor: { kind: 'user', id: userId } as const, address: visitor.address };
    const subject = { type: 'user', id: userId };
    await recordForInstance(tx, by, { type: 'identity.email_changed', subject, payload: {} });
    if (before.email === null || before.email === link.email) return;
    const happened = happenedTo(kernel, visitor);
    await addJob(tx, 'identity.email_changed_mail', { ...before, new_email: link.email, ...happened });
  });
}
