import { isIPv6 } from 'node:net';
import { AppError, type Limit, spend, type Tx } from '../../kernel/index.ts';
import { type TryKey, tooMany } from './failures.ts';

const MINUTE_MS = 60_000;

type Try = { address: string | undefined; key: TryKey; known: boolean };

/**
 * Three layers: the address, the name and the whole installation. Known devices have a count of their own in the last
 * two, so that a flood of strangers does not keep people out. Throws 429 with one message for all of them.
 */
export async function spendLogin(tx: Tx, { address, key, known }: Try): Promise<void> {
  const who = known ? 'known' : 'strangers';
  const limits: Limit[] = [
    { name: 'login.address', key: network(address), most: 20, windowMs: 5 * MINUTE_MS },
    { name: 'login.name', key: key.toString('hex'), most: 10, windowMs: 5 * MINUTE_MS },
    { name: 'login.installation', key: who, most: 300, windowMs: MINUTE_MS },
  ];
  try {
    await spend(tx, limits);
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    throw tooMany(Number(error.extra?.retry_after_s ?? 60));
  }
}

/** Whoever has one IPv6 address has the 2^64 of its network. */
export function network(address: string | undefined): string {
  if (address === undefined || !isIPv6(address)) return address ?? 'unknown';
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1];
  if (mapped !== undefined) return mapped;
  const [bare = ''] = address.split('%');
  const [head = '', tail] = bare.split('::');
  const [left, right] = [groups(head), groups(tail ?? '')];
  const missing = tail === undefined ? 0 : 8 - left.length - right.length;
  const all = [...left, ...Array<string>(Math.max(0, missing)).fill('0'), ...right];
  return `${all
    .slice(0, 4)
    .map(group => Number.parseInt(group, 16).toString(16))
    .join(':')}::/64`;
}

function groups(part: string): string[] {
  return part === '' ? [] : part.split(':');
}
