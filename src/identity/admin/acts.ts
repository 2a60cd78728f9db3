import { AppError, type Author, type Kernel, notFound, type Tx } from '../../kernel/index.ts';

const LAST_ADMIN =
  'Somebody must be able to run this Convoke. Make somebody else an admin first, or unlock another one.';

/**
 * What those who run the installation do comes one after the other: each proves that whoever acts may still do so, and
 * none leaves the installation without an admin who can sign in. Throws 404 to who is no admin any more, and 409.
 */
export function actAsAdmin<T>(
  kernel: Kernel,
  by: Author,
  name: string,
  act: (tx: Tx) => Promise<T>,
): Promise<T> {
  return kernel.database.inEngine(name, tx =>
    keepAnAdmin(tx, async before => {
      if (by.actor.kind === 'user' && !before.has(by.actor.id)) throw notFound();
      return act(tx);
    }),
  );
}

/**
 * One after the other under the row of the installation; throws 409 for an act that leaves it without an admin who can
 * sign in. `act` gets those there are before.
 */
export async function keepAnAdmin<T>(tx: Tx, act: (before: Set<string>) => Promise<T>): Promise<T> {
  await tx.selectFrom('instance_settings').select('id').forUpdate().execute();
  const before = await adminsOf(tx);
  const done = await act(before);
  if (before.size > 0 && (await adminsOf(tx)).size === 0) throw new AppError('illegal_state', LAST_ADMIN);
  return done;
}

/** Throws 409 for the only admin who can sign in; without the lock, so that only `keepAnAdmin` decides. */
export async function refuseLastAdmin(tx: Tx, userId: string): Promise<void> {
  const admins = await adminsOf(tx);
  if (admins.has(userId) && admins.size === 1) throw new AppError('illegal_state', LAST_ADMIN);
}

/** Those who can enter the console. */
async function adminsOf(tx: Tx): Promise<Set<string>> {
  const rows = await tx
    .selectFrom('users')
    .select('id')
    .where('is_admin', '=', true)
    .where('locked_at', 'is', null)
    .execute();
  return new Set(rows.map(row => row.id));
}
