import type { ReactNode } from 'react';
import { PasswordInput } from '../../kit/password-input.tsx';

const LEAST_LENGTH = 10;

type Props = {
  /** The name of the field in its form. */
  name?: string;
  label?: string;
  error?: ReactNode;
  autoFocus?: boolean;
};

/** Where somebody chooses a password; a password manager may offer one. */
export function NewPassword({ name = 'password', label = 'Password', error, autoFocus = false }: Props) {
  return (
    <PasswordInput
      label={label}
      description={`At least ${LEAST_LENGTH} characters. A few words that you can remember are better than signs that you cannot.`}
      name={name}
      autoComplete="new-password"
      autoFocus={autoFocus}
      error={error}
    />
  );
}

/** What is wrong with a chosen password, as far as it can be told here. */
export function passwordFault(password: string): string | undefined {
  const missing = LEAST_LENGTH - password.length;
  if (missing <= 0) return undefined;
  return `${missing} more ${missing === 1 ? 'character' : 'characters'}, please.`;
}
