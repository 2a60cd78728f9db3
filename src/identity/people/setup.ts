import type { Kernel } from '../../kernel/index.ts';
import { hashPassword } from '../defence/passwords.ts';
import type { Visitor } from '../logins/logins.ts';
import { type NewLogin, openLogin } from '../logins/opening.ts';
import { replacePassword } from '../users.ts';
import { drawLink, followLink, linkOver } from './links.ts';

/** A link that lets its user choose the first password, once, within 24 hours. Returns its token. */
export function createSetupLink(kernel: Kernel, userId: string): Promise<string> {
  return kernel.database.inEngine('identity.create_setup_link', tx =>
    drawLink(tx, kernel, { purpose: 'setup', userId }),
  );
}

/** Follows a setup link: sets the password and signs in. Throws 422 on `token` when the link is over. */
export async function completeSetup(
  kernel: Kernel,
  given: { token: string; password: string },
  visitor: Visitor,
): Promise<NewLogin> {
  const hash = await hashPassword(given.password);
  return kernel.database.inEngine('identity.complete_setup', async tx => {
    const { userId } = await followLink(tx, kernel, given.token, 'setup');
    if (userId === null) throw linkOver('setup');
    await replacePassword(tx, userId, hash);
    return openLogin(tx, kernel, userId, visitor);
  });
}
