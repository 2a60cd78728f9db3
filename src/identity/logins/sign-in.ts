import { sql } from 'kysely';
import { AppError, INSTANCE, type Kernel, recordForInstance, type Tx } from '../../kernel/index.ts';
import { countTry, forgetTries, proofKey, type TryKey, tryKey } from '../defence/failures.ts';
import { spendLogin } from '../defence/login-limits.ts';
import { verifyCounted } from '../defence/proof.ts';
import { hasSecondFactor, takeCode } from '../defence/second-factor.ts';
import { tellNewDevice } from '../people/notices.ts';
import { type User, userNamed } from '../users.ts';
import { isKnownDevice } from './devices.ts';
import type { OpenLogin, Visitor } from './logins.ts';
import { type ClientTokens, type NewLogin, openClientLogin, openLogin } from './opening.ts';
import { newToken, tokenHash } from './tokens.ts';

type Kind = OpenLogin['kind'];

/** What a right password leads to: a login, or the question for the second factor. */
export type SignedIn =
  | { browser: NewLogin }
  | { client: ClientTokens }
  | { challenge: string; expiresAt: Date };

type Given = { username: string; password: string; kind: Kind };

const CHALLENGE_LASTS_MS = 5 * 60_000;
const MOST_CODES = 5;

/**
 * Signs in. Unknown names and wrong passwords get the same 401 after the same work; what is too much gets the same 429
 * before any work.
 */
export async function signIn(kernel: Kernel, given: Given, visitor: Visitor): Promise<SignedIn> {
  const { user, key, locks } = await admit(kernel, given.username, visitor);
  const fits = await verifyCounted(kernel, key, given.password, user?.password_hash);
  const opened = user && fits ? await goOn(kernel, user, { kind: given.kind, key }, visitor) : undefined;
  if (!opened && locks) await tellLock(kernel, user?.id, visitor);
  kernel.log.info({ event: 'identity.login', outcome: opened ? 'ok' : 'refused', user_id: user?.id });
  if (!opened) throw new AppError('unauthenticated', 'The username or the password is wrong.');
  return opened;
}

/** Answers the question for the second factor, by a code of the app or a recovery code. Throws 401 and 429. */
export async function signInWithCode(
  kernel: Kernel,
  given: { challenge: string; code: string },
  visitor: Visitor,
): Promise<Exclude<SignedIn, { challenge: string }>> {
  const opened = await kernel.database.inEngine('identity.login_code', async tx => {
    const asked = await countCode(tx, kernel, given.challenge);
    if (!asked) return undefined;
    const key = proofKey(asked.userId, 'second_factor');
    await countTry(tx, kernel, key);
    if (!(await takeCode(tx, kernel, asked.userId, given.code))) return undefined;
    await tx.deleteFrom('login_challenges').where('token_hash', '=', tokenHash(given.challenge)).execute();
    await forgetTries(tx, [key]);
    return open(tx, kernel, asked, visitor);
  });
  kernel.log.info({ event: 'identity.login_code', outcome: opened ? 'ok' : 'refused' });
  if (!opened) {
    throw new AppError(
      'unauthenticated',
      'This code is wrong or was used before, or you took too long. Try the next code, or sign in again.',
    );
  }
  return opened;
}

/** Looks who it may be and counts the try before anything is proved, in one short transaction. */
function admit(
  kernel: Kernel,
  name: string,
  visitor: Visitor,
): Promise<{ user: User | undefined; key: TryKey; locks: boolean }> {
  return kernel.database.inEngine('identity.login', async tx => {
    const user = await userNamed(tx, name);
    const { device } = visitor;
    const known = user !== undefined && device !== undefined && (await isKnownDevice(tx, user.id, device));
    const key = known ? tryKey({ userId: user.id, device }) : tryKey({ name });
    await spendLogin(tx, { address: visitor.address, key, known });
    return { user, key, locks: await countTry(tx, kernel, key) };
  });
}

/** Five failures are one fact. It is told of unknown names too, so that its time tells nobody which are known. */
function tellLock(kernel: Kernel, userId: string | undefined, { address }: Visitor): Promise<void> {
  const subject = { type: 'user', id: userId ?? INSTANCE };
  return kernel.database.inEngine('identity.sign_in_locked', tx =>
    recordForInstance(
      tx,
      { actor: { kind: 'system' }, address },
      { type: 'identity.sign_in_locked', subject, payload: { known: userId !== undefined } },
    ),
  );
}

/** While the password was checked it may have been replaced; then the old one no longer opens anything. */
function goOn(
  kernel: Kernel,
  user: User,
  { kind, key }: { kind: Kind; key: TryKey },
  visitor: Visitor,
): Promise<SignedIn | undefined> {
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
    if (!same) return undefined;
    await forgetTries(tx, [key]);
    if (await hasSecondFactor(tx, user.id)) return ask(tx, kernel, user.id, kind);
    return open(tx, kernel, { userId: user.id, kind }, visitor);
  });
}

async function ask(tx: Tx, kernel: Kernel, userId: string, kind: Kind): Promise<SignedIn> {
  const challenge = newToken();
  const expiresAt = new Date(kernel.clock.now().getTime() + CHALLENGE_LASTS_MS);
  await tx
    .insertInto('login_challenges')
    .values({ token_hash: tokenHash(challenge), user_id: userId, kind, expires_at: expiresAt })
    .execute();
  return { challenge, expiresAt };
}

/**
 * Counted before the code is looked at, which also makes others who show the same challenge wait for what becomes of it. A
 * challenge ends with the fifth wrong code, or with the lock of its user.
 */
async function countCode(
  tx: Tx,
  kernel: Kernel,
  challenge: string,
): Promise<{ userId: string; kind: Kind } | undefined> {
  const asked = await tx
    .updateTable('login_challenges')
    .set(row => ({ failures: row('failures', '+', 1) }))
    .where('token_hash', '=', tokenHash(challenge))
    .where('failures', '<', MOST_CODES)
    .where('expires_at', '>', kernel.clock.now())
    .where('user_id', 'in', where => where.selectFrom('users').select('id').where('locked_at', 'is', null))
    .returning(['user_id', 'kind'])
    .executeTakeFirst();
  return asked && { userId: asked.user_id, kind: asked.kind as Kind };
}

async function open(
  tx: Tx,
  kernel: Kernel,
  { userId, kind }: { userId: string; kind: Kind },
  visitor: Visitor,
): Promise<Exclude<SignedIn, { challenge: string }>> {
  await recordForInstance(
    tx,
    { actor: { kind: 'user', id: userId }, address: visitor.address },
    { type: 'identity.signed_in', subject: { type: 'user', id: userId }, payload: { kind } },
  );
  if (kind === 'client') return { client: await openClientLogin(tx, kernel, userId, visitor) };
  await tellNewDevice(tx, kernel, userId, visitor);
  return { browser: await openLogin(tx, kernel, userId, visitor) };
}
