import { sql } from 'kysely';
import { AppError, type Kernel, newId, type Tx } from '../kernel/index.ts';
import { verifyPassword } from './passwords.ts';
import { epochNow } from './settings.ts';
import { newToken, tokenHash } from './tokens.ts';
import { type User, userNamed } from './users.ts';

/** A new login: the token goes to the browser, only its hash stays here. */
export type NewLogin = { token: string; userId: string; expiresAt: Date };

export type Visitor = { address: string | undefined; userAgent: string | undefined };

const LOGIN_LASTS_MS = 30 * 86_400_000;
const SEEN_EVERY_MS = 60_000;

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
    tx
      .deleteFrom('logins')
      .where('id', '=', where =>
        where.selectFrom('login_tokens').select('login_id').where('token_hash', '=', tokenHash(token)),
      )
      .execute(),
  );
}

/** Opens a login for a browser. Whoever calls it has proved who the user is. */
export async function openLogin(tx: Tx, kernel: Kernel, userId: string, visitor: Visitor): Promise<NewLogin> {
  const now = kernel.clock.now();
  const expiresAt = new Date(now.getTime() + LOGIN_LASTS_MS);
  const token = newToken();
  const id = newId();
  await tx.deleteFrom('logins').where('user_id', '=', userId).where('expires_at', '<=', now).execute();
  const { epoch } = await tx
    .selectFrom('users')
    .select('epoch')
    .where('id', '=', userId)
    .executeTakeFirstOrThrow();
  await tx
    .insertInto('logins')
    .values({
      id,
      user_id: userId,
      kind: 'browser',
      user_epoch: epoch,
      instance_epoch: await epochNow(tx),
      created_at: now,
      seen_at: now,
      expires_at: expiresAt,
      address: visitor.address ?? null,
      user_agent: visitor.userAgent?.slice(0, 300) ?? null,
    })
    .execute();
  await tx
    .insertInto('login_tokens')
    .values({ token_hash: tokenHash(token), login_id: id, kind: 'cookie', expires_at: expiresAt })
    .execute();
  return { token, userId, expiresAt };
}

/** The login that a token opens, if it still does; remembers that it was seen. */
export async function openedBy(
  tx: Tx,
  kernel: Kernel,
  token: string,
  kind: 'cookie',
): Promise<{ userId: string } | undefined> {
  const now = kernel.clock.now();
  const found = await tx
    .selectFrom('login_tokens as t')
    .innerJoin('logins as l', 'l.id', 't.login_id')
    .innerJoin('users as u', join =>
      join.onRef('u.id', '=', 'l.user_id').onRef('u.epoch', '=', 'l.user_epoch'),
    )
    .innerJoin('instance_settings as i', 'i.epoch', 'l.instance_epoch')
    .select(['l.id', 'l.user_id', 'l.seen_at'])
    .where('t.token_hash', '=', tokenHash(token))
    .where('t.kind', '=', kind)
    .where('t.expires_at', '>', now)
    .where('l.expires_at', '>', now)
    .where('u.locked_at', 'is', null)
    .executeTakeFirst();
  if (!found) return undefined;
  if (now.getTime() - found.seen_at.getTime() > SEEN_EVERY_MS) {
    await tx.updateTable('logins').set({ seen_at: now }).where('id', '=', found.id).execute();
  }
  return { userId: found.user_id };
}

/** While the password was checked it may have been replaced; then the old one no longer opens anything. */
function openLoginIfUnchanged(kernel: Kernel, user: User, visitor: Visitor): Promise<NewLogin | undefined> {
  return kernel.database.inEngine('identity.login', async tx => {
    const same = await tx
      .selectFrom('users')
      .select('id')
      .where('id', '=', user.id)
      .where('epoch', '=', user.epoch)
      .where('locked_at', 'is', null)
      .where(sql<boolean>`password_hash is not distinct from ${user.password_hash}`)
      .forUpdate()
      .executeTakeFirst();
    return same && openLogin(tx, kernel, user.id, visitor);
  });
}
