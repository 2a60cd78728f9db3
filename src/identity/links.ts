import { invalidField, type Kernel } from '../kernel/index.ts';
import { refuseGuessable } from './defence/breached.ts';
import { hashPassword } from './defence/passwords.ts';
import type { Visitor } from './logins/logins.ts';
import { type NewLogin, openLogin } from './logins/opening.ts';
import { newToken, tokenHash } from './logins/tokens.ts';
import { replacePassword } from './users.ts';

const SETUP_LINK_LASTS_MS = 86_400_000;

/** A link that lets its user choose the first password, once, within 24 hours. Returns its token. */
export async function createSetupLink(kernel: Kernel, userId: string): Promise<string> {
  const token = newToken();
  const expiresAt = new Date(kernel.clock.now().getTime() + SETUP_LINK_LASTS_MS);
  await kernel.database.inEngine('identity.create_setup_link', tx =>
    tx
      .insertInto('user_links')
      .values({ token_hash: tokenHash(token), purpose: 'setup', user_id: userId, expires_at: expiresAt })
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
  await refuseGuessable(given.password, {});
  const hash = await hashPassword(given.password);
  return kernel.database.inEngine('identity.complete_setup', async tx => {
    const now = kernel.clock.now();
    const link = await tx
      .updateTable('user_links')
      .set({ used_at: now })
      .where('token_hash', '=', tokenHash(given.token))
      .where('purpose', '=', 'setup')
      .where('used_at', 'is', null)
      .where('expires_at', '>', now)
      .returning('user_id')
      .executeTakeFirst();
    if (!link?.user_id) {
      throw invalidField(
        'token',
        'This link was used before or is older than a day. The operator can set a password with: npm run convoke -- set-password <username>',
      );
    }
    await replacePassword(tx, link.user_id, hash);
    return openLogin(tx, kernel, link.user_id, visitor);
  });
}
