import { createHmac, hkdfSync, randomBytes } from 'node:crypto';
import { sql } from 'kysely';
import { afterCommit, type Database, running, type Tx } from './database/database.ts';
import { StartError } from './errors.ts';
import { newId } from './ids.ts';
import { Keyring, keyIdOf, readKeyring } from './keyring.ts';
import { KEY_BYTES, openWith, sealWith } from './sealing.ts';

export type Secrets = {
  /** The vault of a workspace, with its data keys at hand. Joins the running transaction, if any. */
  vault(workspaceId: string): Promise<Vault>;
};

export type Vault = {
  /** `aad` names the place (`channel_keys:<channel>:<type>:<id>`): what is moved elsewhere does not open. */
  seal(plain: Uint8Array, aad: string): Buffer;
  /** Throws when the key, the place or one bit is another than at sealing. */
  open(sealed: Uint8Array, aad: string): Buffer;
  /**
   * The same for the same content, which cannot be guessed from it without the key. Made with the first data key of
   * the workspace, so that it stays comparable when another one is added.
   */
  fingerprint(content: Uint8Array): Buffer;
};

export type SecretsOptions = {
  /** `id:base64,…`; the first encrypts. */
  keyring: string | undefined;
  dataDir: string;
  /** The database is a server that several nodes may share. */
  serverMode: boolean;
  database: Database;
};

type DataKey = { id: string; key: Buffer };

const CHECK = Buffer.from('convoke');
const CHECK_AAD = 'instance.key_check';
const VERSION = 1;
const HEADER = 17;

/**
 * Proves that the keyring fits the database and re-wraps data keys whose master key is no longer the
 * first. Throws StartError when the key is missing or is not the one that the database was written with.
 */
export async function createSecrets(options: SecretsOptions): Promise<Secrets> {
  const { database } = options;
  const check = await database.inEngine('secrets.check', readCheck);
  const text = await readKeyring({ ...options, configured: options.keyring, inUse: check !== undefined });
  const keyring = new Keyring(text);
  await database.inEngine('secrets.start', async tx => {
    provePossession(keyring, await readOrWriteCheck(tx, keyring));
    await rewrap(tx, keyring);
  });
  const cache = new Map<string, Vault>();
  return {
    vault: async workspaceId => {
      const known = cache.get(workspaceId);
      if (known) return known;
      const load = (tx: Tx) => loadVault(tx, keyring, workspaceId);
      const open = running();
      const vault =
        open?.database === database ? await load(open.tx) : await database.inEngine('secrets.vault', load);
      // A data key made in a transaction that rolls back must not be used again.
      afterCommit(() => cache.set(workspaceId, vault));
      return vault;
    },
  };
}

async function readCheck(tx: Tx): Promise<Buffer | undefined> {
  const row = await tx.selectFrom('instance').select('key_check').where('id', '=', 1).executeTakeFirst();
  return row?.key_check ?? undefined;
}

async function readOrWriteCheck(tx: Tx, keyring: Keyring): Promise<Buffer> {
  const mine = keyring.seal(CHECK, CHECK_AAD);
  const row = await tx
    .insertInto('instance')
    .values({ id: 1, key_check: mine })
    .onConflict(oc => oc.column('id').doUpdateSet({ key_check: sql`coalesce(instance.key_check, ${mine})` }))
    .returning('key_check')
    .executeTakeFirstOrThrow();
  return row.key_check ?? mine;
}

function provePossession(keyring: Keyring, check: Buffer): void {
  const opened = attempt(() => keyring.open(check, CHECK_AAD));
  if (opened?.equals(CHECK)) return;
  throw new StartError(
    `The master key does not fit this database, which was written with a key named "${keyIdOf(check)}". ` +
      'Start with that key: it is in CONVOKE_MASTER_KEY of the other nodes, or in master.key of the data folder. ' +
      'To bring in a new key, put it first and keep the old one behind a comma.',
  );
}

async function rewrap(tx: Tx, keyring: Keyring): Promise<void> {
  const check = await readCheck(tx);
  if (!check || keyIdOf(check) === keyring.first) return;
  const rows = await tx
    .selectFrom('data_keys')
    .select(['workspace_id', 'id', 'wrapped'])
    .forUpdate()
    .execute();
  for (const row of rows.filter(row => keyIdOf(row.wrapped) !== keyring.first)) {
    const aad = wrapAad(row.workspace_id, row.id);
    const wrapped = keyring.seal(unwrap(keyring, row.wrapped, aad), aad);
    await tx
      .updateTable('data_keys')
      .set({ wrapped })
      .where('workspace_id', '=', row.workspace_id)
      .where('id', '=', row.id)
      .execute();
  }
  await tx
    .updateTable('instance')
    .set({ key_check: keyring.seal(CHECK, CHECK_AAD) })
    .where('id', '=', 1)
    .execute();
}

async function loadVault(tx: Tx, keyring: Keyring, workspaceId: string): Promise<Vault> {
  const read = async () => {
    const rows = await tx
      .selectFrom('data_keys')
      .select(['id', 'wrapped'])
      .where('workspace_id', '=', workspaceId)
      .orderBy('id')
      .execute();
    return rows.map(row => ({ id: row.id, key: unwrap(keyring, row.wrapped, wrapAad(workspaceId, row.id)) }));
  };
  let keys = await read();
  if (keys.length === 0) {
    // Two nodes that meet a new workspace at once must agree on one key.
    await sql`select pg_advisory_xact_lock(hashtextextended(${`data_keys:${workspaceId}`}, 0))`.execute(tx);
    keys = await read();
  }
  if (keys.length === 0) keys = [await makeDataKey(tx, keyring, workspaceId)];
  return vaultOf(workspaceId, keys);
}

async function makeDataKey(tx: Tx, keyring: Keyring, workspaceId: string): Promise<DataKey> {
  const id = newId();
  const key = randomBytes(KEY_BYTES);
  const wrapped = keyring.seal(key, wrapAad(workspaceId, id));
  await tx.insertInto('data_keys').values({ workspace_id: workspaceId, id, wrapped }).execute();
  return { id, key };
}

/** Sealed = version, id of the data key, then nonce, tag and ciphertext. */
function vaultOf(workspaceId: string, keys: DataKey[]): Vault {
  const byId = new Map(keys.map(({ id, key }) => [id, key]));
  const [first, newest] = [keys[0], keys.at(-1)];
  if (!first || !newest) throw new Error('A vault needs a data key.');
  const header = Buffer.concat([Buffer.from([VERSION]), Buffer.from(newest.id.replaceAll('-', ''), 'hex')]);
  const fingerprintKey = Buffer.from(hkdfSync('sha256', first.key, workspaceId, 'fingerprint', KEY_BYTES));
  return {
    fingerprint: content => createHmac('sha256', fingerprintKey).update(content).digest(),
    seal: (plain, aad) => Buffer.concat([header, sealWith(newest.key, plain, `${workspaceId}:${aad}`)]),
    open: (sealed, aad) => {
      const key = sealed[0] === VERSION ? byId.get(idIn(sealed)) : undefined;
      if (!key) throw new Error('This was sealed with a data key that the workspace does not have.');
      return openWith(key, sealed.subarray(HEADER), `${workspaceId}:${aad}`);
    },
  };
}

function idIn(sealed: Uint8Array): string {
  const hex = Buffer.from(sealed.subarray(1, HEADER)).toString('hex');
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}

function wrapAad(workspaceId: string, id: string): string {
  return `data_keys:${workspaceId}:${id}`;
}

function unwrap(keyring: Keyring, wrapped: Buffer, aad: string): Buffer {
  const key = attempt(() => keyring.open(wrapped, aad));
  if (key) return key;
  throw new StartError(
    `A data key is wrapped with the master key "${keyIdOf(wrapped)}", which is not in CONVOKE_MASTER_KEY. Add it behind the first, after a comma.`,
  );
}

function attempt<T>(work: () => T): T | undefined {
  try {
    return work();
  } catch {
    return undefined;
  }
}
