import { Secret, TOTP } from 'otpauth';
import {
  AppError,
  INSTANCE,
  invalidField,
  type Kernel,
  recordForInstance,
  sameSecret,
  type Tx,
} from '../../kernel/index.ts';
import { countTry, forgetTries, proofKey } from './failures.ts';
import { makeRecoveryCodes, takeRecoveryCode } from './recovery-codes.ts';

const PERIOD_S = 30;
const SECRET_BYTES = 20;

/**
 * Draws the secret of an authenticator app, which counts once a code of it was confirmed. Whoever calls it has proved the
 * password. Throws 409 `illegal_state` when there is a second factor already.
 */
export async function beginSecondFactor(
  kernel: Kernel,
  userId: string,
): Promise<{ secret: string; otpauth_uri: string }> {
  const secret = new Secret({ size: SECRET_BYTES });
  const label = await kernel.database.inEngine('identity.begin_second_factor', async tx => {
    const sealed = await seal(kernel, userId, secret);
    const placed = await tx
      .insertInto('second_factors')
      .values({ user_id: userId, secret: sealed })
      .onConflict(conflict =>
        conflict
          .column('user_id')
          .doUpdateSet({ secret: sealed, last_step: 0 })
          .where('second_factors.confirmed_at', 'is', null),
      )
      .returning('user_id')
      .executeTakeFirst();
    if (!placed)
      throw new AppError(
        'illegal_state',
        'There is a second factor already. Take it away first to set up another.',
      );
    const user = await tx
      .selectFrom('users')
      .select(['username', 'email'])
      .where('id', '=', userId)
      .executeTakeFirstOrThrow();
    return user.username ?? user.email ?? 'user';
  });
  const uri = new TOTP({ issuer: 'Convoke', label, secret, period: PERIOD_S }).toString();
  return { secret: secret.base32, otpauth_uri: uri };
}

/** Turns it on with a first code, and gives the recovery codes. Throws 403 for a wrong code, 409 without a setup. */
export function confirmSecondFactor(kernel: Kernel, userId: string, code: string): Promise<string[]> {
  return proved(kernel, userId, async tx => {
    const factor = await tx
      .selectFrom('second_factors')
      .select('confirmed_at')
      .where('user_id', '=', userId)
      .executeTakeFirst();
    if (!factor || factor.confirmed_at !== null)
      throw new AppError(
        'illegal_state',
        'Nothing waits to be confirmed. Start with POST /v1/me/second-factor.',
      );
    if (!(await takeTotp(tx, kernel, userId, code))) return undefined;
    await tx
      .updateTable('second_factors')
      .set({ confirmed_at: kernel.clock.now() })
      .where('user_id', '=', userId)
      .execute();
    await tell(tx, userId, 'identity.second_factor_added');
    return makeRecoveryCodes(tx, userId);
  });
}

/** Takes it away, with the recovery codes. Whoever calls it has proved the password; throws 403 for a wrong code. */
export async function removeSecondFactor(kernel: Kernel, userId: string, code: string): Promise<void> {
  await proved(kernel, userId, async tx => {
    if (!(await takeCode(tx, kernel, userId, code))) return undefined;
    await tx.deleteFrom('second_factors').where('user_id', '=', userId).execute();
    await tx.deleteFrom('recovery_codes').where('user_id', '=', userId).execute();
    await tell(tx, userId, 'identity.second_factor_removed');
    return true;
  });
}

/** Ten other recovery codes; the old ones open nothing any more. The same holds. */
export function renewRecoveryCodes(kernel: Kernel, userId: string, code: string): Promise<string[]> {
  return proved(kernel, userId, async tx => {
    if (!(await takeCode(tx, kernel, userId, code))) return undefined;
    await tell(tx, userId, 'identity.recovery_codes_renewed');
    return makeRecoveryCodes(tx, userId);
  });
}

/** Makes sure of the second factor, too, where there is one. Throws 422 without a code, 403 for a wrong one, 429. */
export async function proveSecondFactor(
  kernel: Kernel,
  userId: string,
  code: string | undefined,
): Promise<void> {
  const wanted = await kernel.database.inEngine('identity.prove_code', tx => hasSecondFactor(tx, userId));
  if (!wanted) return;
  if (code === undefined)
    throw invalidField('code', 'Type the code of your authenticator app, or a recovery code.');
  await proved(kernel, userId, async tx => (await takeCode(tx, kernel, userId, code)) || undefined);
}

export async function hasSecondFactor(tx: Tx, userId: string): Promise<boolean> {
  const row = await tx
    .selectFrom('second_factors')
    .select('user_id')
    .where('user_id', '=', userId)
    .where('confirmed_at', 'is not', null)
    .executeTakeFirst();
  return row !== undefined;
}

export function secondFactorOf(kernel: Kernel, userId: string) {
  return kernel.database.inEngine('identity.second_factor', async tx => {
    const { left } = await tx
      .selectFrom('recovery_codes')
      .select(({ fn }) => fn.countAll<number>().as('left'))
      .where('user_id', '=', userId)
      .where('used_at', 'is', null)
      .executeTakeFirstOrThrow();
    return { enabled: await hasSecondFactor(tx, userId), recovery_codes_left: Number(left) };
  });
}

/** Whether the code of the app or a recovery code fits. What has fitted once never does again. */
export async function takeCode(tx: Tx, kernel: Kernel, userId: string, code: string): Promise<boolean> {
  if (!(await hasSecondFactor(tx, userId))) return false;
  if (/^\s*\d{3}\s*\d{3}\s*$/.test(code)) return takeTotp(tx, kernel, userId, code);
  return takeRecoveryCode(tx, userId, code, kernel.clock.now());
}

/** A code of this half minute or its neighbours; the clocks of phones are a little off. */
async function takeTotp(tx: Tx, kernel: Kernel, userId: string, code: string): Promise<boolean> {
  const row = await tx
    .selectFrom('second_factors')
    .select('secret')
    .where('user_id', '=', userId)
    .executeTakeFirst();
  if (!row) return false;
  const secret = await open(kernel, userId, row.secret);
  const totp = new TOTP({ secret, period: PERIOD_S });
  const given = code.replaceAll(/\s/g, '');
  const now = Math.floor(kernel.clock.now().getTime() / 1000 / PERIOD_S);
  const step = [now, now - 1, now + 1].find(at =>
    sameSecret(given, totp.generate({ timestamp: at * PERIOD_S * 1000 })),
  );
  if (step === undefined) return false;
  const taken = await tx
    .updateTable('second_factors')
    .set({ last_step: step })
    .where('user_id', '=', userId)
    .where('last_step', '<', step)
    .executeTakeFirst();
  return taken.numUpdatedRows > 0n;
}

/** Counts the try, commits a failure and throws 403 for it; `work` answers undefined when the code was wrong. */
async function proved<T>(
  kernel: Kernel,
  userId: string,
  work: (tx: Tx) => Promise<T | undefined>,
): Promise<T> {
  const key = proofKey(userId, 'second_factor');
  const result = await kernel.database.inEngine('identity.second_factor', async tx => {
    await countTry(tx, kernel, key);
    const done = await work(tx);
    if (done !== undefined) await forgetTries(tx, [key]);
    return done;
  });
  if (result === undefined)
    throw new AppError('forbidden', 'The code is wrong or was used before. Wait for the next one.', {
      fields: [{ path: 'code', detail: 'The code is wrong or was used before.' }],
    });
  return result;
}

/** Sealed for its user: moved to another row it does not open. */
async function seal(kernel: Kernel, userId: string, secret: Secret): Promise<Buffer> {
  const vault = await kernel.secrets.vault(INSTANCE);
  return vault.seal(secret.bytes, place(userId));
}

async function open(kernel: Kernel, userId: string, sealed: Buffer): Promise<Secret> {
  const vault = await kernel.secrets.vault(INSTANCE);
  const bytes = vault.open(sealed, place(userId));
  return new Secret({ buffer: new Uint8Array(bytes).buffer });
}

function place(userId: string): string {
  return `second_factors:${userId}`;
}

function tell(tx: Tx, userId: string, type: string): Promise<void> {
  const subject = { type: 'user', id: userId };
  return recordForInstance(tx, { actor: { kind: 'user', id: userId } }, { type, subject, payload: {} });
}
