import type { Kernel, Tx } from '../../kernel/index.ts';
import type { OpenLogin } from './logins.ts';
import { addToken } from './opening.ts';
import { newToken, tokenHash } from './tokens.ts';

const LASTS_MS = 30_000;

/** A pass that opens one stream, once, within 30 s: for readers that can send no header of their own. */
export async function givePass(kernel: Kernel, login: OpenLogin): Promise<{ pass: string; expiresAt: Date }> {
  const pass = newToken();
  const expiresAt = new Date(kernel.clock.now().getTime() + LASTS_MS);
  await kernel.database.inEngine('identity.give_pass', tx =>
    addToken(tx, { loginId: login.id, kind: 'stream', token: pass, expiresAt }),
  );
  return { pass, expiresAt };
}

/** The login whose pass this is; the pass is used up by asking. */
export async function takePass(tx: Tx, kernel: Kernel, pass: string): Promise<string | undefined> {
  const taken = await tx
    .deleteFrom('login_tokens')
    .where('token_hash', '=', tokenHash(pass))
    .where('kind', '=', 'stream')
    .where('expires_at', '>', kernel.clock.now())
    .returning('login_id')
    .executeTakeFirst();
  return taken?.login_id;
}
