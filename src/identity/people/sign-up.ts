import {
  AppError,
  invalidField,
  isUniqueViolation,
  type Kernel,
  newId,
  recordForInstance,
  type Tx,
} from '../../kernel/index.ts';
import { refuseGuessable } from '../defence/breached.ts';
import { hashPassword } from '../defence/passwords.ts';
import type { Visitor } from '../logins/logins.ts';
import { type NewLogin, openLogin } from '../logins/opening.ts';
import { readInstance, signUpMode } from './instance.ts';
import { askForMail, spendLink } from './limits.ts';
import { followLink, lookAtLink } from './links.ts';
import type { SignUpCompletion } from './schema.ts';

/** Asks for a link to the address. Nobody learns here whether there is an account. Throws 403 and 429. */
export async function askToSignUp(kernel: Kernel, email: string, address: string): Promise<void> {
  await refuseClosed(kernel);
  await askForMail(kernel, { job: 'identity.sign_up_mail', who: email, payload: { email }, address });
}

/**
 * Makes the account that the link was for, whose address is proven by it, and signs in. Until then nothing is kept of
 * the person, so nobody can take an address before its owner comes. Throws 403, 422.
 */
export async function completeSignUp(
  kernel: Kernel,
  given: SignUpCompletion,
  visitor: Visitor,
): Promise<NewLogin> {
  await spendLink(kernel, visitor.address);
  await refuseClosed(kernel);
  const { email } = await lookAtLink(kernel, given.token, 'sign_up');
  await refuseGuessable(given.password, { username: given.username ?? null, email, name: given.name });
  const hash = await hashPassword(given.password);
  return kernel.database.inEngine('identity.complete_sign_up', async tx => {
    const link = await followLink(tx, kernel, given.token, 'sign_up');
    const id = newId();
    await insertPerson(tx, kernel, { id, email: link.email, hash, given, address: visitor.address });
    return openLogin(tx, kernel, id, visitor);
  });
}

type NewPerson = {
  id: string;
  /** Proven to be theirs. */
  email: string | null;
  hash: string;
  given: Omit<SignUpCompletion, 'token' | 'password'>;
  /** Where they came from. */
  address: string | undefined;
};

/** The account of somebody who has agreed to the terms. Throws 422 on the field at fault; the transaction is over then. */
export async function insertPerson(
  tx: Tx,
  kernel: Kernel,
  { id, email, hash, given, address }: NewPerson,
): Promise<void> {
  const { terms } = await readInstance(tx, kernel);
  if (terms && !given.accept_terms)
    throw invalidField('accept_terms', 'Read the terms and accept them, or there can be no account.');
  try {
    await tx
      .insertInto('users')
      .values({
        id,
        email,
        username: given.username ?? null,
        name: given.name,
        password_hash: hash,
        locale: given.locale,
        time_zone: given.time_zone ?? null,
        terms_version: terms?.version ?? null,
        terms_accepted_at: terms ? kernel.clock.now() : null,
      })
      .execute();
  } catch (error) {
    if (isUniqueViolation(error, 'users_email'))
      throw invalidField('token', 'This address has an account by now. Sign in with it.');
    throw usernameTaken(error);
  }
  const by = { actor: { kind: 'user', id } as const, address };
  await recordForInstance(tx, by, { type: 'identity.signed_up', subject: { type: 'user', id }, payload: {} });
}

/** Told only to who holds a valid link or is signed in. */
export function usernameTaken(error: unknown): unknown {
  if (!isUniqueViolation(error, 'users_username')) return error;
  return invalidField('username', 'Somebody has this username already. Choose another.');
}

async function refuseClosed(kernel: Kernel): Promise<void> {
  const mode = await signUpMode(kernel);
  if (mode === 'open') return;
  const why =
    mode === 'invitation' ? 'Ask somebody who is here to invite you.' : 'Ask the people who run it.';
  throw new AppError('forbidden', `Nobody can sign up here by themselves. ${why}`);
}
