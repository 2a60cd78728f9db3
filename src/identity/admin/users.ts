import { type ExpressionBuilder, sql } from 'kysely';
import {
  AppError,
  type Author,
  addJob,
  invalidField,
  type Kernel,
  notFound,
  pageCursor,
  readCursor,
  type Tables,
  type Tx,
} from '../../kernel/index.ts';
import { endLoginsOf as endEveryLogin } from '../logins/logins.ts';
import { deletePerson } from '../people/deletion.ts';
import { createSetupLink } from '../people/setup.ts';
import { newUser } from '../users.ts';
import { recordAdmin } from './activity.ts';
import { actAsAdmin } from './acts.ts';
import type { AdminUser } from './schema.ts';

type Page<T> = { data: T[]; page: { next_cursor: string | null } };
type Asked = { limit: number; cursor?: string | undefined; search?: string | undefined };

const LINK_LASTS_MS = 86_400_000;
const NO_ADDRESS = 'This user has no e-mail address that was proven. Make a link, and hand it over yourself.';
const NO_MAIL = 'No mail leaves this installation. Make a link, and hand it over yourself.';

/** All users, newest first. */
export async function listUsers(kernel: Kernel, { limit, cursor, search }: Asked): Promise<Page<AdminUser>> {
  const before = readCursor(cursor);
  return kernel.database.inEngine('identity.list_users', async tx => {
    let rows = selectUsers(tx)
      .orderBy('u.id', 'desc')
      .limit(limit + 1);
    if (before !== undefined) rows = rows.where('u.id', '<', before);
    if (search) {
      const part = likePart(search);
      rows = rows.where(where =>
        where.or((['username', 'email', 'name'] as const).map(column => where(`u.${column}`, 'ilike', part))),
      );
    }
    return pageOf((await rows.execute()).map(userOf), limit);
  });
}

/** A user without a password, and the link at which whoever gets it chooses one. Throws 409 when the name is taken. */
export function addUser(kernel: Kernel, by: Author, wanted: { username: string; is_admin: boolean }) {
  return actAsAdmin(kernel, by, 'identity.add_user', async tx => {
    const { username, is_admin: isAdmin } = wanted;
    const id = await newUser(tx, { username, passwordHash: null, isAdmin });
    await recordAdmin(tx, by, 'admin.user_added', { username }, id);
    if (isAdmin) await recordAdmin(tx, by, 'admin.user_promoted', {}, id);
    return { user: await readUser(tx, id), link: await linkFor(kernel, id) };
  });
}

/** A new link to choose a password with; whoever follows it is signed in, and all other logins end. */
export function makeLink(kernel: Kernel, by: Author, id: string) {
  return actAsAdmin(kernel, by, 'identity.make_link', async tx => {
    await readUser(tx, id);
    await recordAdmin(tx, by, 'admin.link_made', {}, id);
    return linkFor(kernel, id);
  });
}

/** Sends the mail of *Forgot password*, as if the user had asked for it. Throws 409 without a proven address or a mail server. */
export function mailLink(kernel: Kernel, by: Author, id: string): Promise<void> {
  return actAsAdmin(kernel, by, 'identity.mail_link', async tx => {
    const { email } = await readUser(tx, id);
    if (email === null) throw new AppError('illegal_state', NO_ADDRESS);
    if (kernel.config.smtpUrl === undefined) throw new AppError('illegal_state', NO_MAIL);
    await addJob(tx, 'identity.reset_mail', { name: email });
    await recordAdmin(tx, by, 'admin.link_mailed', {}, id);
  });
}

/** Makes somebody an admin or not, locks or unlocks. What is so already is left alone. Throws 404, 409. */
export function changeUser(
  kernel: Kernel,
  by: Author,
  id: string,
  change: { is_admin?: boolean | undefined; locked?: boolean | undefined },
): Promise<AdminUser> {
  return actAsAdmin(kernel, by, 'identity.change_user', async tx => {
    const before = await readUser(tx, id);
    if (change.is_admin !== undefined && change.is_admin !== before.is_admin) {
      await tx.updateTable('users').set({ is_admin: change.is_admin }).where('id', '=', id).execute();
      await recordAdmin(tx, by, change.is_admin ? 'admin.user_promoted' : 'admin.user_demoted', {}, id);
    }
    if (change.locked !== undefined && change.locked !== (before.locked_at !== null)) {
      const lockedAt = change.locked ? kernel.clock.now() : null;
      await tx.updateTable('users').set({ locked_at: lockedAt }).where('id', '=', id).execute();
      await recordAdmin(tx, by, change.locked ? 'admin.user_locked' : 'admin.user_unlocked', {}, id);
      // Unlocked, somebody signs in anew: what was open when they were locked stays closed.
      if (change.locked) await endEveryLogin(tx, id);
    }
    return readUser(tx, id);
  });
}

/** Ends every login of one user. */
export function endLoginsOf(kernel: Kernel, by: Author, id: string): Promise<void> {
  return actAsAdmin(kernel, by, 'identity.end_logins', async tx => {
    await readUser(tx, id);
    await endEveryLogin(tx, id);
    await recordAdmin(tx, by, 'admin.logins_ended', {}, id);
  });
}

/** For good. `confirm` is the name, typed once more. Throws 404, 409 for the only owner of a workspace, 422. */
export function deleteUser(kernel: Kernel, by: Author, id: string, confirm: string): Promise<void> {
  return actAsAdmin(kernel, by, 'identity.delete_user', async tx => {
    const user = await readUser(tx, id);
    const name = user.username ?? user.email ?? '';
    if (confirm.trim() !== name) throw invalidField('confirm', `Type ${name} to delete this user.`);
    await deletePerson(tx, kernel, id, by);
    await recordAdmin(tx, by, 'admin.user_deleted', {}, id);
  });
}

async function linkFor(kernel: Kernel, id: string) {
  const expiresAt = new Date(kernel.clock.now().getTime() + LINK_LASTS_MS).toISOString();
  return { path: `/setup/${await createSetupLink(kernel, id)}`, expires_at: expiresAt };
}

async function readUser(tx: Tx, id: string): Promise<AdminUser> {
  const row = await selectUsers(tx).where('u.id', '=', id).executeTakeFirst();
  if (!row) throw notFound();
  return userOf(row);
}

function selectUsers(tx: Tx) {
  return tx
    .selectFrom('users as u')
    .select(['u.id', 'u.username', 'u.email', 'u.name', 'u.is_admin', 'u.created_at', 'u.locked_at'])
    .select(user => [
      sql<boolean>`u.password_hash is not null`.as('has_password'),
      user
        .exists(
          user
            .selectFrom('second_factors as f')
            .select('f.user_id')
            .whereRef('f.user_id', '=', 'u.id')
            .where('f.confirmed_at', 'is not', null),
        )
        .as('has_second_factor'),
      countOf(user).as('workspaces'),
      user
        .selectFrom('logins as l')
        .select(of => of.fn.max('l.seen_at').as('seen_at'))
        .whereRef('l.user_id', '=', 'u.id')
        .as('seen_at'),
    ]);
}

function countOf(user: ExpressionBuilder<Tables & { u: Tables['users'] }, 'u'>) {
  return user
    .selectFrom('members as m')
    .select(of => of.fn.countAll<number>().as('count'))
    .whereRef('m.user_id', '=', 'u.id');
}

type Row = Awaited<ReturnType<ReturnType<typeof selectUsers>['executeTakeFirstOrThrow']>>;

function userOf(row: Row): AdminUser {
  return {
    ...row,
    has_second_factor: Boolean(row.has_second_factor),
    workspaces: Number(row.workspaces),
    created_at: row.created_at.toISOString(),
    seen_at: row.seen_at?.toISOString() ?? null,
    locked_at: row.locked_at?.toISOString() ?? null,
  };
}

/** The part as it was typed, wherever it stands. */
export function likePart(search: string): string {
  return `%${search.replace(/[\\%_]/g, '\\$&')}%`;
}

/** Of rows that were read with one more than the limit, by id. */
export function pageOf<T extends { id: string }>(rows: T[], limit: number): Page<T> {
  const data = rows.slice(0, limit);
  const last = data.at(-1);
  return { data, page: { next_cursor: rows.length > limit && last ? pageCursor(last.id) : null } };
}
