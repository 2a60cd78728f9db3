import type { Kernel } from '../../kernel/index.ts';
import { refuseGuessable } from '../defence/breached.ts';
import { hashPassword } from '../defence/passwords.ts';
import { hasSecondFactor } from '../defence/second-factor.ts';
import type { Visitor } from '../logins/logins.ts';
import { type NewLogin, openLogin } from '../logins/opening.ts';
import { replacePassword } from '../users.ts';
import { drawLink, followLink, linkOver, lookAtLink } from './links.ts';
import { personOf } from './password.ts';

/** A link that lets its user choose the first password, once, within 24 hours. Returns its token. */
export function createSetupLink(kernel: Kernel, userId: string): Promise<string> {
  return kernel.database.inEngine('identity.create_setup_link', tx =>
    drawLink(tx, kernel, { purpose: 'setup', userId }),
  );
}

/**
 * Follows a setup link: sets the password and signs in, unless there is a second factor, of which the link is no proof.
 * Throws 422, on `token` when the link is over.
 */
export async function completeSetup(
  kernel: Kernel,
  given: { token: string; password: string },
  visitor: Visitor,
): Promise<NewLogin | undefined> {
  const link = await lookAtLink(kernel, given.token, 'setup');
  if (link.userId === null) throw linkOver('setup');
  await refuseGuessable(given.password, await personOf(kernel, link.userId));
  const hash = await hashPassword(given.password);
  return kernel.database.inEngine('identity.complete_setup', async tx => {
    const { userId } = await followLink(tx, kernel, given.token, 'setup');
    if (userId === null) throw linkOver('setup');
    await replacePassword(tx, userId, hash);
    if (await hasSecondFactor(tx, userId)) return undefined;
    return openLogin(tx, kernel, userId, visitor);
  });
}
