import { sql } from 'kysely';
import { AppError, invalidField, isUniqueViolation, type Kernel, newId, type Tx } from '../kernel/index.ts';
import { hashPassword, verifyPassword } from './passwords.ts';
import type { Role } from './schema.ts';
import { newToken, tokenHash } from './tokens.ts';

/** A new login: the token goes to the browser, only its hash stays here. */
export type NewLogin = { token: string; userId: string; expiresAt: Date };

export type Visitor = { address: string | undefined; userAgent: string | undefined };

const LOGIN_LASTS_MS = 30 * 86_400_000;
const SETUP_LINK_LASTS_MS = 86_400_000;

/** Creates a user, without a password until one is set. Throws 409 `conflict` when the name is taken. */
export async function createUser(
  kernel: Kernel,
  user: { username: string; password?: string },
): Promise<string> {
  const hash = user.password === undefined ? null : await hashPassword(user.password);
  const id = newId();
  try {
    await kernel.database.inEngine('identity.create_user', tx =>
      tx.insertInto('users').values({ id, username: user.username, password_hash: hash }).execute(),
    );
  } catch (error) {
    if (!isUniqueViolation(error)) throw error;
    throw new AppError('conflict', `There is a user "${user.username}" already. Choose another name.`, {
      cause: error,
    });
  }
  return id;
}

/** Sets a password, ends all logins of the user and voids open setup links. Throws 404 for an unknown name. */
export async function setPassword(kernel: Kernel, username: string, password: string): Promise<void> {
  const hash = await hashPassword(password);
  await kernel.database.inEngine('identity.set_password', async tx => {
    const user = await userNamed(tx, username);
    if (!user) throw new AppError('not_found', `There is no user "${username}".`);
    await replacePassword(tx, user.id, hash);
  });
  kernel.log.info({ event: 'identity.set_password', outcome: 'ok' });
}

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

/** Signs in. Unknown names and wrong passwords get the same 401 after the same work. */
export async function login(
  kernel: Kernel,
  given: { username: string; password: string },
  visitor: Visitor,
): Promise<NewLogin> {
  const user = await kernel.database.inEngine('identity.login', tx => userNamed(tx, given.username));
  const fits = await verifyPassword(given.password, user?.password_hash);
  const opened = user && fits ? await openLoginIfUnchanged(kernel, user, visitor) : undefined;
  kernel.log.info({ event: 'identity.login', outcome: opened ? 'ok' : 'refused', user_id: user?.id });
  if (!opened) throw new AppError('unauthenticated', 'The username or the password is wrong.');
  return opened;
}

/** Ends one login. Safe to repeat. */
export async function logout(kernel: Kernel, token: string): Promise<void> {
  await kernel.database.inEngine('identity.logout', tx =>
    tx.deleteFrom('logins').where('token_hash', '=', tokenHash(token)).execute(),
  );
}

/** A link that lets its user choose the first password, once, within 24 hours. Returns its token. */
export async function createSetupLink(kernel: Kernel, userId: string): Promise<string> {
  const token = newToken();
  const expiresAt = new Date(kernel.clock.now().getTime() + SETUP_LINK_LASTS_MS);
  await kernel.database.inEngine('identity.create_setup_link', tx =>
    tx
      .insertInto('setup_links')
      .values({ token_hash: tokenHash(token), user_id: userId, expires_at: expiresAt })
      .execute(),
  );
  return token;
}

/** Follows a setup link: sets the password and signs in. Throws 422 on `token` when the link is over. */
export async function completeSetup(
  kernel: Kernel,
  given: { token: string; password: string },
  visitor: Visitor,
): Promise<NewLogin> {
  const hash = await hashPassword(given.password);
  return kernel.database.inEngine('identity.complete_setup', async tx => {
    const now = kernel.clock.now();
    const link = await tx
      .updateTable('setup_links')
      .set({ used_at: now })
      .where('token_hash', '=', tokenHash(given.token))
      .where('used_at', 'is', null)
      .where('expires_at', '>', now)
      .returning('user_id')
      .executeTakeFirst();
    if (!link) {
      throw invalidField(
        'token',
        'This link was used before or is older than a day. The operator can set a password with: npm run convoke -- set-password <username>',
      );
    }
    await replacePassword(tx, link.user_id, hash);
    return openLogin(tx, kernel, link.user_id, visitor);
  });
}

async function replacePassword(tx: Tx, userId: string, hash: string): Promise<void> {
  await tx.updateTable('users').set({ password_hash: hash }).where('id', '=', userId).execute();
  await tx.deleteFrom('logins').where('user_id', '=', userId).execute();
  await tx.deleteFrom('setup_links').where('user_id', '=', userId).where('used_at', 'is', null).execute();
}

/** While the password was checked it may have been replaced; then the old one no longer opens anything. */
function openLoginIfUnchanged(kernel: Kernel, user: User, visitor: Visitor): Promise<NewLogin | undefined> {
  return kernel.database.inEngine('identity.login', async tx => {
    const same = await tx
      .selectFrom('users')
      .select('id')
      .where('id', '=', user.id)
      .where('password_hash', '=', user.password_hash)
      .forUpdate()
      .executeTakeFirst();
    return same && openLogin(tx, kernel, user.id, visitor);
  });
}

async function openLogin(tx: Tx, kernel: Kernel, userId: string, visitor: Visitor): Promise<NewLogin> {
  const now = kernel.clock.now();
  const expiresAt = new Date(now.getTime() + LOGIN_LASTS_MS);
  const token = newToken();
  await tx.deleteFrom('logins').where('user_id', '=', userId).where('expires_at', '<=', now).execute();
  await tx
    .insertInto('logins')
    .values({
      token_hash: tokenHash(token),
      user_id: userId,
      seen_at: now,
      expires_at: expiresAt,
      address: visitor.address ?? null,
      user_agent: visitor.userAgent?.slice(0, 300) ?? null,
    })
    .execute();
  return { token, userId, expiresAt };
}

type User = { id: string; password_hash: string | null };

async function userNamed(tx: Tx, username: string): Promise<User | undefined> {
  return tx
    .selectFrom('users')
    .select(['id', 'password_hash'])
    .where(sql<string>`lower(username)`, '=', sql<string>`lower(${username}::text)`)
    .executeTakeFirst();
}
