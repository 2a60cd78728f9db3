import { AppError, INSTANCE, type Kernel, recordForInstance, type Tx } from '../../kernel/index.ts';
import { addNotice } from '../people/notices.ts';
import { aliveLogins, endLogin, see, type Visitor } from './logins.ts';
import { addAccessToken, addRefreshToken, type ClientTokens } from './opening.ts';
import { tokenHash } from './tokens.ts';

/** A client that asked twice at once, or lost the answer, may ask again for so long. */
const GRACE_MS = 10_000;

type Shown = { loginId: string; userId: string; usedAt: Date | null; endsAt: Date };

/**
 * Gives new tokens for a refresh token, which works once: marking it as used is the rotation itself. One that is shown
 * again within 10 s, while its successor is unused, gets the same successor, so that it does not matter which of two
 * answers a client keeps. Shown again later it has been stolen, or its owner has been robbed: the login ends with all
 * its tokens. Throws 401, with the same words for whatever is not accepted.
 */
export async function refreshLogin(kernel: Kernel, refresh: string, visitor: Visitor): Promise<ClientTokens> {
  const successor = await successorOf(kernel, refresh);
  const outcome = await kernel.database.inEngine('identity.refresh', async tx => {
    const shown = await aliveLoginOf(tx, kernel, refresh);
    if (!shown) return 'over';
    if (await rotate(tx, kernel, refresh, successor)) {
      await see(tx, shown.loginId, kernel.clock.now(), visitor);
      await addRefreshToken(tx, kernel, {
        loginId: shown.loginId,
        token: successor,
        expiresAt: shown.endsAt,
      });
    } else if (!(await withinGrace(tx, kernel, refresh, successor))) {
      await endStolen(tx, kernel, shown, visitor);
      return 'stolen';
    }
    return { refresh: successor, ...(await answerFor(tx, kernel, shown.loginId, successor)) };
  });
  const ok = typeof outcome === 'object';
  kernel.log[outcome === 'stolen' ? 'warn' : 'info']({
    event: 'identity.refresh',
    outcome: ok ? 'ok' : outcome,
  });
  if (!ok) throw new AppError('unauthenticated', 'This login is over. Sign in again: POST /v1/login.');
  return outcome;
}

/** Two that show the same token are told the same: it is made from the token, with a key that only we have. */
async function successorOf(kernel: Kernel, refresh: string): Promise<string> {
  const vault = await kernel.secrets.vault(INSTANCE);
  return vault.fingerprint(Buffer.from(`refresh:${refresh}`)).toString('base64url');
}

async function aliveLoginOf(tx: Tx, kernel: Kernel, refresh: string): Promise<Shown | undefined> {
  const now = kernel.clock.now();
  const row = await aliveLogins(tx, now)
    .innerJoin('login_tokens as t', 't.login_id', 'l.id')
    .select(['l.id', 'l.user_id', 'l.expires_at', 't.used_at'])
    .where('t.token_hash', '=', tokenHash(refresh))
    .where('t.kind', '=', 'refresh')
    .where('t.expires_at', '>', now)
    .executeTakeFirst();
  return row && { loginId: row.id, userId: row.user_id, usedAt: row.used_at, endsAt: row.expires_at };
}

async function rotate(tx: Tx, kernel: Kernel, refresh: string, successor: string): Promise<boolean> {
  const used = await tx
    .updateTable('login_tokens')
    .set({ used_at: kernel.clock.now(), successor_hash: tokenHash(successor) })
    .where('token_hash', '=', tokenHash(refresh))
    .where('used_at', 'is', null)
    .executeTakeFirst();
  return used.numUpdatedRows > 0n;
}

async function withinGrace(tx: Tx, kernel: Kernel, refresh: string, successor: string): Promise<boolean> {
  const since = new Date(kernel.clock.now().getTime() - GRACE_MS);
  const found = await tx
    .selectFrom('login_tokens as t')
    .innerJoin('login_tokens as next', 'next.token_hash', 't.successor_hash')
    .select('t.login_id')
    .where('t.token_hash', '=', tokenHash(refresh))
    .where('t.used_at', '>', since)
    .where('next.token_hash', '=', tokenHash(successor))
    .where('next.used_at', 'is', null)
    .executeTakeFirst();
  return found !== undefined;
}

async function answerFor(tx: Tx, kernel: Kernel, loginId: string, successor: string) {
  const { expires_at: refreshExpiresAt } = await tx
    .selectFrom('login_tokens')
    .select('expires_at')
    .where('token_hash', '=', tokenHash(successor))
    .executeTakeFirstOrThrow();
  return { refreshExpiresAt, ...(await addAccessToken(tx, kernel, loginId)) };
}

async function endStolen(
  tx: Tx,
  kernel: Kernel,
  { loginId, userId }: Shown,
  visitor: Visitor,
): Promise<void> {
  if (!(await endLogin(tx, userId, loginId))) return;
  await addNotice(tx, kernel, userId, 'stolen_login', visitor);
  await recordForInstance(
    tx,
    { actor: { kind: 'system' }, address: visitor.address },
    {
      type: 'identity.refresh_token_replayed',
      subject: { type: 'user', id: userId },
      payload: { login_id: loginId },
    },
  );
}
