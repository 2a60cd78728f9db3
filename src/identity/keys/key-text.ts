import { randomInt } from 'node:crypto';
import { crc32 } from 'node:zlib';

const LETTERS = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
const PREFIX = 'cvk_';
const SECRET = 32;
const CHECK = 6;

/**
 * A new API key: `cvk_`, 32 random letters and digits (190 bits), and the CRC-32 of all before in base 62. So scanners
 * for leaked secrets find it by a pattern and know without asking that it is no accident.
 */
export function newKeyText(): string {
  const secret = Array.from({ length: SECRET }, () => LETTERS[randomInt(LETTERS.length)]).join('');
  return PREFIX + secret + checksum(PREFIX + secret);
}

/** Whether it wants to be one of our keys. */
export function isApiKey(token: string): boolean {
  return token.startsWith(PREFIX);
}

/** Whether it can be one at all, which needs no database. */
export function isWellFormed(token: string): boolean {
  const head = token.slice(0, PREFIX.length + SECRET);
  return (
    token.length === PREFIX.length + SECRET + CHECK && isApiKey(token) && token === head + checksum(head)
  );
}

/** The beginning, by which a person knows it again. */
export function shownPrefix(token: string): string {
  return token.slice(0, PREFIX.length + 4);
}

function checksum(text: string): string {
  let rest = crc32(text);
  let digits = '';
  for (let i = 0; i < CHECK; i++) {
    digits = `${LETTERS[rest % LETTERS.length]}${digits}`;
    rest = Math.floor(rest / LETTERS.length);
  }
  return digits;
}
