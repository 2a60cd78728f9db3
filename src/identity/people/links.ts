import { sql } from 'kysely';
import { invalidField, type Kernel, type Tx } from '../../kernel/index.ts';
import { newToken, tokenHash } from '../logins/tokens.ts';

/** What a link lets its holder do, once: the first password, an account, another password, a proven address. */
export type LinkPurpose = 'setup' | 'sign_up' | 'reset' | 'email';

/** Whom a link is about: a user, an address that was to be proven, or both. */
export type Link = { userId: string | null; email: string | null };

const HOUR_MS = 3_600_000;
const LASTS_MS: Record<LinkPurpose, number> = {
  setup: 24 * HOUR_MS,
  sign_up: 24 * HOUR_MS,
  reset: HOUR_MS,
  email: 24 * HOUR_MS,
};

const OVER: Record<LinkPurpose, string> = {
  setup:
    'This link was used before or is older than a day. The operator can set a password with: npm run convoke -- set-password <username>',
  sign_up: 'This link was used before or is older than a day. Sign up again to get another.',
  reset: 'This link was used before or is older than an hour. Ask for another with "Forgot password".',
  email:
    'This link was used before, is older than a day, or is for another account. Change the address again.',
};

/** A new link; its token is given back once, and only its hash is kept. */
export async function drawLink(
  tx: Tx,
  kernel: Kernel,
  link: { purpose: LinkPurpose; userId?: string; email?: string },
): Promise<string> {
  const token = newToken();
  const now = kernel.clock.now();
  await tx.deleteFrom('user_links').where('expires_at', '<=', now).execute();
  await tx
    .insertInto('user_links')
    .values({
      token_hash: tokenHash(token),
      purpose: link.purpose,
      user_id: link.userId ?? null,
      email: link.email ?? null,
      expires_at: new Date(now.getTime() + LASTS_MS[link.purpose]),
    })
    .execute();
  return token;
}

/** What a link is about, without following it. Throws 422 on `token` when it is over. */
export function lookAtLink(kernel: Kernel, token: string, purpose: LinkPurpose): Promise<Link> {
  return kernel.database.inEngine('identity.look_at_link', async tx => {
    const found = await tx
      .selectFrom('user_links')
      .select(['user_id as userId', 'email'])
      .where('token_hash', '=', tokenHash(token))
      .where('purpose', '=', purpose)
      .where('used_at', 'is', null)
      .where('expires_at', '>', kernel.clock.now())
      .executeTakeFirst();
    if (!found) throw linkOver(purpose);
    return found;
  });
}

/**
 * Follows a link: the conditional update is what makes it work once, and all others of its purpose and person end with
 * it. A transaction that fails afterwards leaves it as it was. Throws 422 on `token` when it is over.
 */
export async function followLink(tx: Tx, kernel: Kernel, token: string, purpose: LinkPurpose): Promise<Link> {
  const now = kernel.clock.now();
  const link = await tx
    .updateTable('user_links')
    .set({ used_at: now })
    .where('token_hash', '=', tokenHash(token))
    .where('purpose', '=', purpose)
    .where('used_at', 'is', null)
    .where('expires_at', '>', now)
    .returning(['user_id as userId', 'email'])
    .executeTakeFirst();
  if (!link) throw linkOver(purpose);
  const same = link.userId
    ? sql<boolean>`user_id = ${link.userId}`
    : sql<boolean>`lower(email) = lower(${link.email})`;
  await tx
    .deleteFrom('user_links')
    .where('purpose', '=', purpose)
    .where(same)
    .where('used_at', 'is', null)
    .execute();
  return link;
}

export function linkOver(purpose: LinkPurpose): Error {
  return invalidField('token', OVER[purpose]);
}
