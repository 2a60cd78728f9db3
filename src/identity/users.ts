import { sql } from 'kysely';
import { AppError, isUniqueViolation, type Kernel, newId, type Tx } from '../kernel/index.ts';
import { refuseGuessable } from './defence/breached.ts';
import { forgetTriesOf } from './defence/failures.ts';
import { hashPassword } from './defence/passwords.ts';
import { endLoginsOf } from './logins/logins.ts';

/** Creates a user, without a password until one is set. Throws 409 `conflict` when the name is taken. */
export async function createUser(
  kernel: Kernel,
  user: { username: string; password?: string; isAdmin?: boolean },
): Promise<string> {
  const { username, isAdmin } = user;
  const passwordHash = user.password === undefined ? null : await hashPassword(user.password);
  return kernel.database.inEngine('identity.create_user', tx =>
    newUser(tx, { username, passwordHash, isAdmin }),
  );
}

/** The row of a new user; the transaction is over when the name is taken (409 `conflict`). Returns the id. */
export async function newUser(
  tx: Tx,
  user: { username: string; name?: string; passwordHash: string | null; isAdmin?: boolean | undefined },
): Promise<string> {
  const { username, name = '', passwordHash, isAdmin = false } = user;
  const id = newId();
  try {
    await tx
      .insertInto('users')
      .values({ id, username, name, password_hash: passwordHash, is_admin: isAdmin })
      .execute();
  } catch (error) {
    if (!isUniqueViolation(error)) throw error;
    throw new AppError('conflict', `There is a user "${username}" already. Choose another name.`, {
      cause: error,
    });
  }
  return id;
}

/** Sets a password, ends all logins of the user and voids open links. Throws 404 for an unknown name. */
export async function setPassword(kernel: Kernel, username: string, password: string): Promise<void> {
  await refuseGuessable(password, { username });
  const hash = await hashPassword(password);
  await kernel.database.inEngine('identity.set_password', async tx => {
    const user = await userNamed(tx, username);
    if (!user) throw new AppError('not_found', `There is no user "${username}".`);
    await replacePassword(tx, user.id, hash);
  });
  kernel.log.info({ event: 'identity.set_password', outcome: 'ok' });
}

/**
 * Everything that was opened with the old password, or could still set another, ends with it, except the login to `keep`;
 * and the failures that were counted against the old one are forgotten.
 */
export async function replacePassword(tx: Tx, userId: string, hash: string, keep?: string): Promise<void> {
  await tx.updateTable('users').set({ password_hash: hash }).where('id', '=', userId).execute();
  await forgetTriesOf(tx, userId);
  await endLoginsOf(tx, userId, keep);
  await tx.deleteFrom('user_links').where('user_id', '=', userId).where('used_at', 'is', null).execute();
}

export type User = { id: string; password_hash: string | null; epoch: number };

/** By username or by proven e-mail address, in whatever case it was typed. */
export async function userNamed(tx: Tx, name: string): Promise<User | undefined> {
  const lower = sql<string>`lower(${name.trim()}::text)`;
  return tx
    .selectFrom('users')
    .select(['id', 'password_hash', 'epoch'])
    .where(where =>
      where.or([
        where(sql<string>`lower(username)`, '=', lower),
        where(sql<string>`lower(email)`, '=', lower),
      ]),
    )
    .executeTakeFirst();
}
