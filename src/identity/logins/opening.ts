import { type Kernel, newId, type Tx } from '../../kernel/index.ts';
import { epochNow } from '../settings.ts';
import { knowDevice } from './devices.ts';
import { IDLE_MS, type OpenLogin, type Visitor } from './logins.ts';
import { newToken, tokenHash } from './tokens.ts';

/** A new login of a browser: the tokens go there, only their hashes stay here. */
export type NewLogin = { loginId: string; userId: string; token: string; device: string; expiresAt: Date };

/** What a client gets at its sign-in and at each refresh. */
export type ClientTokens = { access: string; refresh: string; accessExpiresAt: Date; refreshExpiresAt: Date };

/** However often it is used, a login ends after so long. */
const LASTS_MS = 90 * 86_400_000;
const ACCESS_LASTS_MS = 15 * 60_000;

/** Opens a login for a browser. Whoever calls it has proved who the user is. */
export async function openLogin(tx: Tx, kernel: Kernel, userId: string, visitor: Visitor): Promise<NewLogin> {
  const { id, expiresAt } = await insertLogin(tx, kernel, { userId, kind: 'browser' }, visitor);
  const token = newToken();
  await addToken(tx, { loginId: id, kind: 'cookie', token, expiresAt });
  return { loginId: id, userId, token, expiresAt, device: await knowDevice(tx, kernel, userId, visitor) };
}

/** Opens a login for a program that keeps tokens of its own. The same holds. */
export async function openClientLogin(
  tx: Tx,
  kernel: Kernel,
  userId: string,
  visitor: Visitor,
): Promise<ClientTokens> {
  const { id, expiresAt } = await insertLogin(tx, kernel, { userId, kind: 'client' }, visitor);
  const refresh = newToken();
  const refreshExpiresAt = await addRefreshToken(tx, kernel, { loginId: id, token: refresh, expiresAt });
  return { refresh, refreshExpiresAt, ...(await addAccessToken(tx, kernel, id)) };
}

/**
 * Gives the browser another token for the same login, as each change of what it may do wants it: what somebody had
 * read or planted before opens nothing.
 */
export async function renewCookie(tx: Tx, loginId: string): Promise<{ token: string; expiresAt: Date }> {
  const token = newToken();
  const { expires_at: expiresAt } = await tx
    .selectFrom('logins')
    .select('expires_at')
    .where('id', '=', loginId)
    .executeTakeFirstOrThrow();
  await tx.deleteFrom('login_tokens').where('login_id', '=', loginId).where('kind', '=', 'cookie').execute();
  await addToken(tx, { loginId, kind: 'cookie', token, expiresAt });
  return { token, expiresAt };
}

export async function addAccessToken(
  tx: Tx,
  kernel: Kernel,
  loginId: string,
): Promise<Pick<ClientTokens, 'access' | 'accessExpiresAt'>> {
  const access = newToken();
  const accessExpiresAt = new Date(kernel.clock.now().getTime() + ACCESS_LASTS_MS);
  await addToken(tx, { loginId, kind: 'access', token: access, expiresAt: accessExpiresAt });
  return { access, accessExpiresAt };
}

/** `expiresAt` is the end of the login, which no refresh moves. */
export async function addRefreshToken(
  tx: Tx,
  kernel: Kernel,
  { loginId, token, expiresAt }: { loginId: string; token: string; expiresAt: Date },
): Promise<Date> {
  const until = Math.min(kernel.clock.now().getTime() + IDLE_MS.client, expiresAt.getTime());
  await addToken(tx, { loginId, kind: 'refresh', token, expiresAt: new Date(until) });
  return new Date(until);
}

type Token = {
  loginId: string;
  kind: 'cookie' | 'access' | 'refresh' | 'stream';
  token: string;
  expiresAt: Date;
};

export async function addToken(tx: Tx, { loginId, kind, token, expiresAt }: Token): Promise<void> {
  await tx
    .insertInto('login_tokens')
    .values({ token_hash: tokenHash(token), login_id: loginId, kind, expires_at: expiresAt })
    .execute();
}

async function insertLogin(
  tx: Tx,
  kernel: Kernel,
  { userId, kind }: Pick<OpenLogin, 'userId' | 'kind'>,
  visitor: Visitor,
): Promise<{ id: string; expiresAt: Date }> {
  const now = kernel.clock.now();
  const expiresAt = new Date(now.getTime() + LASTS_MS);
  const id = newId();
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
      kind,
      user_epoch: epoch,
      instance_epoch: await epochNow(tx),
      created_at: now,
      seen_at: now,
      expires_at: expiresAt,
      address: visitor.address ?? null,
      user_agent: visitor.userAgent?.slice(0, 300) ?? null,
    })
    .execute();
  return { id, expiresAt };
}
