import { AppError, type Author, type Kernel, recordForInstance, type Tx } from '../../kernel/index.ts';
import { refuseGuessable } from '../defence/breached.ts';
import { hashPassword } from '../defence/passwords.ts';
import { provePassword } from '../defence/proof.ts';
import { hasSecondFactor } from '../defence/second-factor.ts';
import type { Visitor } from '../logins/logins.ts';
import { type NewLogin, openLogin } from '../logins/opening.ts';
import { replacePassword } from '../users.ts';
import { askForMail, spendLink } from './limits.ts';
import { followLink, linkOver, lookAtLink } from './links.ts';
import { addNotice } from './notices.ts';

/** Asks for a link to choose another password, for a username or an address. Throws 429. */
export function forgetPassword(kernel: Kernel, name: string, address: string): Promise<void> {
  return askForMail(kernel, { job: 'identity.reset_mail', who: name, payload: { name }, address });
}

/**
 * Sets the password by a link that went to the person, ends all that was opened before, and takes back what was counted
 * against them. Signs in, unless there is a second factor: the link is no proof of that. Throws 422.
 */
export async function resetPassword(
  kernel: Kernel,
  given: { token: string; password: string },
  visitor: Visitor,
): Promise<NewLogin | undefined> {
  await spendLink(kernel, visitor.address);
  const { userId } = await lookAtLink(kernel, given.token, 'reset');
  if (userId === null) throw linkOver('reset');
  await refuseGuessable(given.password, await personOf(kernel, userId));
  const hash = await hashPassword(given.password);
  return kernel.database.inEngine('identity.reset_password', async tx => {
    await followLink(tx, kernel, given.token, 'reset');
    await replacePassword(tx, userId, hash);
    await tell(tx, kernel, userId, visitor);
    if (await hasSecondFactor(tx, userId)) return undefined;
    return openLogin(tx, kernel, userId, visitor);
  });
}

/**
 * Sets the password of who is signed in and knows the old one; all logins end, and this browser gets a new one. Of two
 * who change it at once, one succeeds. Throws 401, 403 for a wrong password, 422, 429.
 */
export async function changePassword(
  kernel: Kernel,
  userId: string,
  given: { current: string; new: string },
  visitor: Visitor,
): Promise<NewLogin> {
  const person = await personOf(kernel, userId);
  await provePassword(kernel, userId, given.current);
  await refuseGuessable(given.new, person, 'new');
  const hash = await hashPassword(given.new);
  return kernel.database.inEngine('identity.change_password', async tx => {
    const { numUpdatedRows } = await tx
      .updateTable('users')
      .set({ password_hash: hash })
      .where('id', '=', userId)
      .where('password_hash', '=', person.password_hash)
      .executeTakeFirst();
    if (numUpdatedRows === 0n)
      throw new AppError(
        'unauthenticated',
        'The password was changed elsewhere just now. Sign in with the new one.',
      );
    await replacePassword(tx, userId, hash);
    await tell(tx, kernel, userId, visitor);
    return openLogin(tx, kernel, userId, visitor);
  });
}

export function personOf(kernel: Kernel, userId: string) {
  return kernel.database.inEngine('identity.person', tx =>
    tx
      .selectFrom('users')
      .select(['username', 'email', 'name', 'password_hash'])
      .where('id', '=', userId)
      .executeTakeFirstOrThrow(),
  );
}

/** The fact and the mail that a password was changed. */
async function tell(tx: Tx, kernel: Kernel, userId: string, visitor: Visitor): Promise<void> {
  const by: Author = { actor: { kind: 'user', id: userId }, address: visitor.address };
  const subject = { type: 'user', id: userId };
  await recordForInstance(tx, by, { type: 'identity.password_changed', subject, payload: {} });
  await addNotice(tx, kernel, userId, 'password_changed', visitor);
}
