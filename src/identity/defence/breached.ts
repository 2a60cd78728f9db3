import { invalidField } from '../../kernel/index.ts';

type Person = {
  username?: string | null | undefined;
  email?: string | null | undefined;
  name?: string | undefined;
};

let loaded: Promise<ReadonlySet<string>> | undefined;

/**
 * Refuses a new password that is among those most often found in breaches, also with a few digits or signs behind it,
 * or is a name of the person. The list comes with the program, nothing is asked on the network; it is read when it is
 * first needed. Throws 422 on `path`.
 */
export async function refuseGuessable(password: string, person: Person, path = 'password'): Promise<void> {
  const bare = password.normalize('NFKC').trim().toLowerCase();
  const names = [person.username, person.email, person.email?.split('@')[0], person.name];
  if (names.some(name => name != null && name.trim().toLowerCase() === bare))
    throw invalidField(path, 'This is your name or address. Choose something that nobody would try.');
  loaded ??= load();
  const list = await loaded;
  if (list.has(bare) || list.has(bare.replace(/[^\p{L}]{1,4}$/u, '')))
    throw invalidField(path, 'This password is on lists that attackers try first. Choose another one.');
}

async function load(): Promise<ReadonlySet<string>> {
  const { dictionary } = await import('@zxcvbn-ts/language-common');
  return new Set(dictionary['passwords-common']);
}
