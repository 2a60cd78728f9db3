import { randomBytes } from 'node:crypto';
import { mkdir, open, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { StartError } from './errors.ts';
import { KEY_BYTES, openWith, sealWith } from './sealing.ts';

const VERSION = 1;
const PART = /^([A-Za-z0-9_-]{1,32}):([A-Za-z0-9+/_-]{43}=?)$/;

const MAKE_ONE = `echo "k1:$(openssl rand -base64 32)"`;

/** The master keys by id, in the order given: the first seals, all open. */
export class Keyring {
  readonly #keys: Map<string, Buffer>;
  readonly first: string;

  /** `text` is `id:base64,…`. Throws StartError for anything else. */
  constructor(text: string) {
    const parts = text.split(',').map(part => PART.exec(part.trim()));
    this.#keys = new Map();
    for (const part of parts) {
      const key = Buffer.from(part?.[2] ?? '', 'base64');
      if (!part?.[1] || key.length !== KEY_BYTES) {
        throw new StartError(
          `The master key must be id:key, the key 32 bytes in base64, several parted by commas. Make one with: ${MAKE_ONE}`,
        );
      }
      this.#keys.set(part[1], key);
    }
    this.first = parts[0]?.[1] ?? '';
  }

  seal(plain: Uint8Array, aad: string): Buffer {
    const id = Buffer.from(this.first);
    const key = this.#keys.get(this.first) ?? Buffer.alloc(0);
    return Buffer.concat([Buffer.from([VERSION, id.length]), id, sealWith(key, plain, aad)]);
  }

  /** Undefined when the key is not in the ring; throws when it is another key of the same id. */
  open(sealed: Uint8Array, aad: string): Buffer | undefined {
    const key = this.#keys.get(keyIdOf(sealed));
    return key && openWith(key, sealed.subarray(2 + (sealed[1] ?? 0)), aad);
  }
}

/** The id of the master key that something was sealed with. */
export function keyIdOf(sealed: Uint8Array): string {
  return Buffer.from(sealed.subarray(2, 2 + (sealed[1] ?? 0))).toString('utf8');
}

/**
 * The text of the keyring: as configured, else from `<data dir>/master.key`, which is made once (mode
 * 0600) for an embedded database that holds nothing sealed yet.
 * Throws StartError with the remedy.
 */
export async function readKeyring(options: {
  configured: string | undefined;
  dataDir: string;
  serverMode: boolean;
  inUse: boolean;
}): Promise<string> {
  if (options.configured !== undefined) return options.configured;
  if (options.serverMode) {
    throw new StartError(
      'CONVOKE_MASTER_KEY is missing. With DATABASE_URL every node needs the same one, and it must outlive them all. ' +
        `Make one with: ${MAKE_ONE}`,
    );
  }
  const path = join(options.dataDir, 'master.key');
  const found = await readFile(path, 'utf8').catch(error => unless('ENOENT', error, path));
  if (found !== undefined) return found.trim();
  if (options.inUse) {
    throw new StartError(
      `The key file ${path} is gone, and without it the stored credentials cannot be read. ` +
        'Put the file back from a backup, or give its content as CONVOKE_MASTER_KEY.',
    );
  }
  return makeKeyFile(options.dataDir, path);
}

async function makeKeyFile(dataDir: string, path: string): Promise<string> {
  const text = `k1:${randomBytes(KEY_BYTES).toString('base64')}`;
  await mkdir(dataDir, { recursive: true, mode: 0o700 });
  const file = await open(path, 'wx', 0o600);
  try {
    await file.writeFile(`${text}\n`);
    await file.sync();
  } finally {
    await file.close();
  }
  return text;
}

function unless(code: string, error: NodeJS.ErrnoException, path: string): undefined {
  if (error.code === code) return undefined;
  throw new StartError(`The key file ${path} cannot be read: ${error.message}`, { cause: error });
}
