import { AppError, type Kernel } from '../../kernel/index.ts';
import { countTry, forgetTries, proofKey, type TryKey, takeBackTry } from './failures.ts';
import { verifyPassword } from './passwords.ts';

/**
 * Makes sure that whoever is signed in also knows the password, before something is changed that could keep its owner
 * out. Failures are counted per user. Throws 403 `forbidden` for a wrong password, 429 after five.
 */
export async function provePassword(kernel: Kernel, userId: string, password: string): Promise<void> {
  const key = proofKey(userId, 'password');
  const stored = await kernel.database.inEngine('identity.prove_password', async tx => {
    await countTry(tx, kernel, key);
    const user = await tx
      .selectFrom('users')
      .select('password_hash')
      .where('id', '=', userId)
      .executeTakeFirstOrThrow();
    return user.password_hash;
  });
  if (!(await verifyCounted(kernel, key, password, stored)))
    throw new AppError('forbidden', 'The password is wrong.', {
      fields: [{ path: 'password', detail: 'The password is wrong.' }],
    });
  await kernel.database.inEngine('identity.prove_password', tx => forgetTries(tx, [key]));
}

/** A check for which there was no room has not failed. */
export async function verifyCounted(
  kernel: Kernel,
  key: TryKey,
  password: string,
  stored: string | null | undefined,
): Promise<boolean> {
  try {
    return await verifyPassword(password, stored);
  } catch (error) {
    await kernel.database.inEngine('identity.take_back_try', tx => takeBackTry(tx, key));
    throw error;
  }
}
