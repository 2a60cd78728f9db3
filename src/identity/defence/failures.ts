import { createHash } from 'node:crypto';
import { sql } from 'kysely';
import { AppError, type Kernel, type Tx } from '../../kernel/index.ts';
import { tokenHash } from '../logins/tokens.ts';

/** What failures are counted by; see `triesOf`. */
export type TryKey = Buffer;

const MOST = 5;
const LOCKED_MS = 15 * 60_000;

/**
 * By whom a try is counted. A browser that the user has signed in from has a count of its own; everybody else who tries
 * the name shares one, whether there is such a user or not. So whoever keeps on failing locks out strangers, and never
 * the browsers that the person uses.
 */
export function tryKey(by: { name: string } | { userId: string; device: string }): TryKey {
  if ('name' in by) return hashed(`name:${by.name.trim().toLowerCase()}`);
  return hashed(`device:${by.userId}:${tokenHash(by.device).toString('hex')}`);
}

/** Tries of somebody who is signed in, or has given the right password, and has to prove more. */
export function proofKey(userId: string, what: 'password' | 'second_factor'): TryKey {
  return hashed(`${what}:${userId}`);
}

function hashed(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}

/**
 * Counts a try as a failure before it is looked at, so that many at once are not more than as many one by one. The
 * fifth locks the key for 15 minutes; then, or 15 minutes after the last failure, it starts anew. Answers whether this one
 * locks it, should it fail. Throws 429 `rate_limited` while it is locked.
 */
export async function countTry(tx: Tx, kernel: Kernel, key: TryKey): Promise<boolean> {
  const now = kernel.clock.now();
  const lockedUntil = new Date(now.getTime() + LOCKED_MS);
  const since = new Date(now.getTime() - LOCKED_MS);
  const anew = sql<boolean>`(login_failures.locked_until is not null or login_failures.failed_at <= ${since})`;
  const counted = await tx
    .insertInto('login_failures')
    .values({ key_hash: key, failures: 1, failed_at: now })
    .onConflict(conflict =>
      conflict
        .column('key_hash')
        .doUpdateSet({
          failures: sql<number>`case when ${anew} then 1 else login_failures.failures + 1 end`,
          failed_at: now,
          locked_until: sql<Date | null>`case when not ${anew} and login_failures.failures + 1 >= ${MOST}::integer
            then ${lockedUntil}::timestamptz end`,
        })
        .where(where =>
          where.or([
            where('login_failures.locked_until', 'is', null),
            where('login_failures.locked_until', '<=', now),
          ]),
        ),
    )
    .returning('locked_until')
    .executeTakeFirst();
  if (!counted) throw await locked(tx, key, now);
  return counted.locked_until !== null;
}

/** It was no failure: the key starts anew. */
export async function forgetTries(tx: Tx, keys: TryKey[]): Promise<void> {
  await tx.deleteFrom('login_failures').where('key_hash', 'in', keys).execute();
}

/** It could not be looked at, so it neither failed nor succeeded. */
export async function takeBackTry(tx: Tx, key: TryKey): Promise<void> {
  await tx
    .updateTable('login_failures')
    .set(row => ({ failures: row('failures', '-', 1), locked_until: null }))
    .where('key_hash', '=', key)
    .where('failures', '>', 0)
    .execute();
}

/** Whoever has followed a link that was sent to the person is that person: nothing is counted against them any more. */
export async function forgetTriesOf(tx: Tx, userId: string): Promise<void> {
  const user = await tx
    .selectFrom('users')
    .select(['username', 'email'])
    .where('id', '=', userId)
    .executeTakeFirstOrThrow();
  const devices = await tx
    .selectFrom('known_devices')
    .select('token_hash')
    .where('user_id', '=', userId)
    .execute();
  await forgetTries(tx, [
    ...[user.username, user.email].flatMap(name => (name === null ? [] : [tryKey({ name })])),
    ...devices.map(({ token_hash }) => hashed(`device:${userId}:${token_hash.toString('hex')}`)),
    proofKey(userId, 'password'),
    proofKey(userId, 'second_factor'),
  ]);
}

async function locked(tx: Tx, key: TryKey, now: Date): Promise<AppError> {
  const row = await tx
    .selectFrom('login_failures')
    .select('locked_until')
    .where('key_hash', '=', key)
    .executeTakeFirst();
  const until = row?.locked_until?.getTime() ?? now.getTime();
  return tooMany(Math.max(1, Math.ceil((until - now.getTime()) / 1000)));
}

/** The same words for whatever was too much: who is refused does not learn what has counted it. */
export function tooMany(seconds: number): AppError {
  return new AppError(
    'rate_limited',
    'There were too many tries. Wait a while, or choose a new password by the link "Forgot password".',
    { extra: { retry_after_s: seconds } },
  );
}
