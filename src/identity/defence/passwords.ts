import * as crypto from 'node:crypto';
import { promisify } from 'node:util';
import { AppError, StartError, sameSecret } from '../../kernel/index.ts';

/** OWASP's first choice for argon2id: 19 MiB, two passes, one lane. */
const COST = { memory: 19_456, passes: 2, parallelism: 1 } as const;
const SALT_BYTES = 16;
const HASH_BYTES = 32;

/** A hash takes 20 ms and 19 MiB on a thread that file access shares, so few run at once. */
const AT_ONCE = 2;
const MOST_WAITING = 100;

const argon2 = promisify(crypto.argon2);

/** Throws StartError when this Node was built without argon2. */
export function requireArgon2(): void {
  if (typeof crypto.argon2 === 'function') return;
  throw new StartError(
    'This build of Node has no argon2. Use the Node that npm installs with Convoke: start with `npm start`.',
  );
}

/** The hash of a new password as a PHC string. */
export async function hashPassword(password: string): Promise<string> {
  const salt = crypto.randomBytes(SALT_BYTES);
  const hash = await derive(password, salt, COST);
  return `$argon2id$v=19$m=${COST.memory},t=${COST.passes},p=${COST.parallelism}$${bare64(salt)}$${bare64(hash)}`;
}

/**
 * Whether the password fits. Without a stored hash (nobody of that name, or not set up yet) it takes as
 * long and says no. Throws 429 when too many checks are waiting.
 */
export async function verifyPassword(password: string, stored: string | null | undefined): Promise<boolean> {
  const phc = parsePhc(stored ?? NOBODY);
  if (!phc) throw new Error('A stored password hash cannot be read.');
  const hash = await derive(password, phc.salt, phc.cost);
  return sameSecret(hash, phc.hash) && stored != null;
}

const NOBODY = `$argon2id$v=19$m=${COST.memory},t=${COST.passes},p=${COST.parallelism}$${bare64(crypto.randomBytes(SALT_BYTES))}$${bare64(crypto.randomBytes(HASH_BYTES))}`;

type Cost = { memory: number; passes: number; parallelism: number };

function parsePhc(text: string): { cost: Cost; salt: Buffer; hash: Buffer } | undefined {
  const match = /^\$argon2id\$v=19\$m=(\d+),t=(\d+),p=(\d+)\$([A-Za-z0-9+/]+)\$([A-Za-z0-9+/]+)$/.exec(text);
  if (!match) return undefined;
  const [, memory, passes, parallelism, salt = '', hash = ''] = match;
  return {
    cost: { memory: Number(memory), passes: Number(passes), parallelism: Number(parallelism) },
    salt: Buffer.from(salt, 'base64'),
    hash: Buffer.from(hash, 'base64'),
  };
}

/** The same letters typed on another keyboard are the same password. */
function derive(password: string, nonce: Buffer, cost: Cost): Promise<Buffer> {
  const message = password.normalize('NFKC');
  return inTurn(() => argon2('argon2id', { message, nonce, tagLength: HASH_BYTES, ...cost }));
}

let running = 0;
const waiting: (() => void)[] = [];

async function inTurn<T>(work: () => Promise<T>): Promise<T> {
  if (running >= AT_ONCE) {
    if (waiting.length >= MOST_WAITING) {
      throw new AppError('rate_limited', 'Too many sign-ins at once. Try again in a few seconds.', {
        extra: { retry_after_s: 5 },
      });
    }
    await new Promise<void>(resolve => waiting.push(resolve));
  } else {
    running += 1;
  }
  try {
    return await work();
  } finally {
    const next = waiting.shift();
    if (next) next();
    else running -= 1;
  }
}

function bare64(bytes: Buffer): string {
  return bytes.toString('base64').replaceAll('=', '');
}
