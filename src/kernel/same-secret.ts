import { createHash, timingSafeEqual } from 'node:crypto';

/**
 * Whether what was given is the secret. Digests are compared, which are of one length and tell nothing by the time that
 * it takes; whatever compares a secret in memory does it here. Where the database looks for one, it looks for its hash.
 */
export function sameSecret(given: string | Uint8Array, secret: string | Uint8Array): boolean {
  return timingSafeEqual(digestOf(given), digestOf(secret));
}

function digestOf(secret: string | Uint8Array): Buffer {
  return createHash('sha256').update(secret).digest();
}
