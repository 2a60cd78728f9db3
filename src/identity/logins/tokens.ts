import { createHash, randomBytes } from 'node:crypto';

/** 256 bits that nobody can guess; safe in a cookie and in an address. */
export function newToken(): string {
  return randomBytes(32).toString('base64url');
}

/** What is stored instead of the token. No salt is needed: there is nothing to guess. */
export function tokenHash(token: string): Buffer {
  return createHash('sha256').update(token).digest();
}
