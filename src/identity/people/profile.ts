import { AppError, type Kernel, recordForInstance } from '../../kernel/index.ts';
import { readInstance } from './instance.ts';
import type { ProfileChange } from './schema.ts';
import { usernameTaken } from './sign-up.ts';

/** Changes what is named. Throws 422 on `username` when somebody has it. */
export async function changeProfile(
  kernel: Kernel,
  userId: string,
  change: ProfileChange,
  address: string,
): Promise<void> {
  if (Object.keys(change).length === 0) return;
  await kernel.database.inEngine('identity.change_profile', async tx => {
    await tx
      .updateTable('users')
      .set(change)
      .where('id', '=', userId)
      .execute()
      .catch((error: unknown) => {
        throw usernameTaken(error);
      });
    if (change.username === undefined) return;
    const by = { actor: { kind: 'user', id: userId } as const, address };
    const subject = { type: 'user', id: userId };
    await recordForInstance(tx, by, {
      type: 'identity.username_changed',
      subject,
      payload: { username: change.username },
    });
  });
}

/** Consent to the terms as they are now. Throws 409 `conflict` when the version that was read is another. */
export async function acceptTerms(
  kernel: Kernel,
  userId: string,
  version: string,
  address: string,
): Promise<void> {
  await kernel.database.inEngine('identity.accept_terms', async tx => {
    const { terms } = await readInstance(tx, kernel);
    if (terms?.version !== version)
      throw new AppError('conflict', 'The terms have changed meanwhile. Read them again: GET /v1/instance.');
    await tx
      .updateTable('users')
      .set({ terms_version: version, terms_accepted_at: kernel.clock.now() })
      .where('id', '=', userId)
      .execute();
    const by = { actor: { kind: 'user', id: userId } as const, address };
    const subject = { type: 'user', id: userId };
    await recordForInstance(tx, by, { type: 'identity.terms_accepted', subject, payload: { version } });
  });
}
