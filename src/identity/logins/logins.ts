import { sql } from 'kysely';
import { type Kernel, type Tx, wakeAfterCommit } from '../../kernel/index.ts';
import { moveEpoch } from '../settings.ts';
import { tokenHash } from './tokens.ts';

/** Where a request comes from, and the device that it says to be. */
export type Visitor = {
  address: string | undefined;
  userAgent: string | undefined;
  /** Token of the device cookie. */
  device: string | undefined;
};

export type OpenLogin = { id: string; userId: string; kind: 'browser' | 'client' };

const DAY_MS = 86_400_000;
/** Without being seen for so long a login is over; a client has its refresh token for as long. */
export const IDLE_MS = { browser: 14 * DAY_MS, client: 30 * DAY_MS } as const;
const SEEN_EVERY_MS = 60_000;

type How = { token: string; kind: 'cookie' | 'access' } | { loginId: string };

/** The login that a token opens, if it still does; remembers that and from where it was seen. */
export async function openedBy(
  tx: Tx,
  kernel: Kernel,
  how: How,
  visitor: Pick<Visitor, 'address'>,
): Promise<OpenLogin | undefined> {
  const now = kernel.clock.now();
  let logins = aliveLogins(tx, now).select(['l.id', 'l.user_id', 'l.kind', 'l.seen_at']);
  if ('loginId' in how) logins = logins.where('l.id', '=', how.loginId);
  else {
    logins = logins.where('l.id', '=', where =>
      where
        .selectFrom('login_tokens')
        .select('login_id')
        .where('token_hash', '=', tokenHash(how.token))
        .where('kind', '=', how.kind)
        .where('expires_at', '>', now),
    );
  }
  const found = await logins.executeTakeFirst();
  if (!found) return undefined;
  if (now.getTime() - found.seen_at.getTime() > SEEN_EVERY_MS) await see(tx, found.id, now, visitor);
  return { id: found.id, userId: found.user_id, kind: found.kind as OpenLogin['kind'] };
}

/** Those that count: of this epoch of the user and of the installation, neither idle nor past their end. */
export function aliveLogins(tx: Tx, now: Date) {
  const idleSince = (kind: keyof typeof IDLE_MS) => new Date(now.getTime() - IDLE_MS[kind]);
  return tx
    .selectFrom('logins as l')
    .innerJoin('users as u', join =>
      join.onRef('u.id', '=', 'l.user_id').onRef('u.epoch', '=', 'l.user_epoch'),
    )
    .innerJoin('instance_settings as i', 'i.epoch', 'l.instance_epoch')
    .where('u.locked_at', 'is', null)
    .where('l.expires_at', '>', now)
    .where(
      sql<boolean>`l.seen_at > case l.kind when 'client' then ${idleSince('client')}::timestamptz
        else ${idleSince('browser')}::timestamptz end`,
    );
}

export async function see(
  tx: Tx,
  loginId: string,
  now: Date,
  { address }: Pick<Visitor, 'address'>,
): Promise<void> {
  await tx
    .updateTable('logins')
    .set({ seen_at: now, address: address ?? null })
    .where('id', '=', loginId)
    .execute();
}

/** Ends the login that a cookie or an access token opens. Safe to repeat. */
export async function logout(kernel: Kernel, token: string): Promise<void> {
  await kernel.database.inEngine('identity.logout', async tx => {
    const ended = await tx
      .deleteFrom('logins')
      .where('id', '=', where =>
        where.selectFrom('login_tokens').select('login_id').where('token_hash', '=', tokenHash(token)),
      )
      .returning('user_id')
      .executeTakeFirst();
    if (ended) recheckStreams(ended.user_id);
  });
}

/** Ends one login of the user. False when there is no such login. */
export async function endLogin(tx: Tx, userId: string, loginId: string): Promise<boolean> {
  const ended = await tx
    .deleteFrom('logins')
    .where('id', '=', loginId)
    .where('user_id', '=', userId)
    .executeTakeFirst();
  recheckStreams(userId);
  return ended.numDeletedRows > 0n;
}

/**
 * Ends every login of a user with all that is half open, by moving the epoch of the user; `keep` names one that stays.
 * The devices are strangers again, but for the one that is kept.
 */
export async function endLoginsOf(tx: Tx, userId: string, keep?: string): Promise<void> {
  const { epoch } = await tx
    .updateTable('users')
    .set(user => ({ epoch: user('epoch', '+', 1) }))
    .where('id', '=', userId)
    .returning('epoch')
    .executeTakeFirstOrThrow();
  const ending = tx.deleteFrom('logins').where('user_id', '=', userId);
  await (keep === undefined ? ending : ending.where('id', '!=', keep)).execute();
  await tx.deleteFrom('login_challenges').where('user_id', '=', userId).execute();
  if (keep === undefined) await tx.deleteFrom('known_devices').where('user_id', '=', userId).execute();
  else await tx.updateTable('logins').set({ user_epoch: epoch }).where('id', '=', keep).execute();
  recheckStreams(userId);
}

/** The kill switch: whatever was given out before opens nothing any more, on all nodes, and live streams end. */
export async function endEverything(tx: Tx): Promise<void> {
  await moveEpoch(tx);
  await tx.deleteFrom('login_challenges').execute();
  wakeAfterCommit('gate');
}

/** After the commit, the open streams of a user ask again whether they may go on: to be said by whoever takes a right away. */
export function recheckStreams(userId: string): void {
  wakeAfterCommit('gate', userId);
}

/** Forgets what is over. */
export async function purgeLogins(tx: Tx, now: Date): Promise<void> {
  const old = new Date(now.getTime() - 180 * DAY_MS);
  await tx.deleteFrom('logins').where('expires_at', '<', now).execute();
  await tx.deleteFrom('login_tokens').where('expires_at', '<', now).execute();
  await tx.deleteFrom('login_challenges').where('expires_at', '<', now).execute();
  await tx.deleteFrom('known_devices').where('seen_at', '<', old).execute();
  await tx
    .deleteFrom('login_failures')
    .where('failed_at', '<', new Date(now.getTime() - DAY_MS))
    .execute();
}
