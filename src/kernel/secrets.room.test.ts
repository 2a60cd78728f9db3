import { randomBytes } from 'node:crypto';
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type TestDatabase, testDatabase } from '../../test/harness/database.ts';
import { StartError } from './errors.ts';
import { newId } from './ids.ts';
import { Keyring } from './keyring.ts';
import { createSecrets } from './secrets.ts';

let ground: TestDatabase;
let dataDir: string;

beforeAll(async () => {
  ground = await testDatabase();
});
afterAll(() => ground.close());
beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'convoke-secrets-'));
  await ground.database.inEngine('test.clear', async tx => {
    await tx.deleteFrom('instance').execute();
    await tx.deleteFrom('data_keys').execute();
  });
});
afterEach(() => rm(dataDir, { recursive: true }));

const key = (id: string) => `${id}:${randomBytes(32).toString('base64')}`;
const start = (keyring: string | undefined, serverMode = true) =>
  createSecrets({ keyring, dataDir, serverMode, database: ground.database });
const plain = Buffer.from('the private key of a channel');

describe('master key', () => {
  it('is asked for with a command that makes one when the database is shared', async () => {
    await expect(start(undefined)).rejects.toThrow(/CONVOKE_MASTER_KEY is missing[\s\S]*openssl rand/);
    await expect(start(undefined)).rejects.toBeInstanceOf(StartError);
  });

  it('is made once in the data folder when embedded, readable by its owner alone', async () => {
    const workspace = newId();
    const sealed = (await (await start(undefined, false)).vault(workspace)).seal(plain, 'a');
    const path = join(dataDir, 'master.key');
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    const made = await readFile(path, 'utf8');
    const again = await start(undefined, false);
    expect(await readFile(path, 'utf8')).toBe(made);
    expect((await again.vault(workspace)).open(sealed, 'a')).toEqual(plain);
  });

  it('refuses to make another when the file is gone but something is sealed', async () => {
    await start(undefined, false);
    await rm(join(dataDir, 'master.key'));
    await expect(start(undefined, false)).rejects.toThrow(/master\.key is gone/);
    await expect(stat(join(dataDir, 'master.key'))).rejects.toMatchObject({ code: 'ENOENT' });
  });

  it('refuses a key that the database was not written with, also one of the same name', async () => {
    await start(key('k1'));
    await expect(start(key('k1'))).rejects.toThrow(/does not fit this database/);
    await expect(start(key('k2'))).rejects.toThrow(/a key named "k1"/);
  });

  it('refuses a damaged key file with a remedy', async () => {
    await writeFile(join(dataDir, 'master.key'), 'k1:short\n');
    await expect(start(undefined, false)).rejects.toThrow(/32 bytes in base64/);
  });

  it('lets one of two nodes win that start at once with different keys', async () => {
    const results = await Promise.allSettled([start(key('k1')), start(key('k1'))]);
    expect(results.map(result => result.status).sort()).toEqual(['fulfilled', 'rejected']);
  });

  it('can be exchanged: the new one first re-wraps the data keys, then stands alone', async () => {
    const [old, fresh] = [key('old'), key('new')];
    const workspace = newId();
    const sealed = (await (await start(old)).vault(workspace)).seal(plain, 'a');
    await start(`${fresh},${old}`);
    expect((await (await start(fresh)).vault(workspace)).open(sealed, 'a')).toEqual(plain);
    await expect(start(old)).rejects.toBeInstanceOf(StartError);
  });
});

describe('an exchange of the master key that does not come to its end', () => {
  /** The process dies when everything is written and nothing committed. */
  const dying = new Proxy({} as TestDatabase['database'], {
    get: (_, name) => {
      if (name !== 'inEngine') return Reflect.get(ground.database, name, ground.database);
      const inEngine: TestDatabase['database']['inEngine'] = (called, work, how) =>
        ground.database.inEngine(
          called,
          async tx => {
            const result = await work(tx);
            if (called === 'secrets.start') throw new Error('killed');
            return result;
          },
          how,
        );
      return inEngine;
    },
  });

  const three = async (keyring: string) => {
    const secrets = await start(keyring);
    return Promise.all(
      [newId(), newId(), newId()].map(async workspace => ({
        workspace,
        sealed: (await secrets.vault(workspace)).seal(plain, 'a'),
      })),
    );
  };
  const opensAll = async (keyring: string, all: Awaited<ReturnType<typeof three>>) => {
    const secrets = await start(keyring);
    for (const { workspace, sealed } of all)
      expect((await secrets.vault(workspace)).open(sealed, 'a')).toEqual(plain);
  };

  it('leaves the old key in force, and can be made again', async () => {
    const [old, fresh] = [key('old'), key('new')];
    const all = await three(old);
    const cut = createSecrets({ keyring: `${fresh},${old}`, dataDir, serverMode: true, database: dying });
    await expect(cut).rejects.toThrow('killed');
    await opensAll(old, all);
    await start(`${fresh},${old}`);
    await opensAll(fresh, all);
  });

  it('changes nothing when one of the data keys cannot be opened', async () => {
    const [old, fresh] = [key('old'), key('new')];
    const all = await three(old);
    const damaged = all[2]?.workspace ?? '';
    const whole = await ground.database.inEngine('test.damage', async tx => {
      const row = await tx
        .selectFrom('data_keys')
        .selectAll()
        .where('workspace_id', '=', damaged)
        .executeTakeFirstOrThrow();
      const wrapped = Buffer.from(row.wrapped);
      wrapped.writeUInt8((wrapped.at(-1) ?? 0) ^ 1, wrapped.length - 1);
      await tx.updateTable('data_keys').set({ wrapped }).where('workspace_id', '=', damaged).execute();
      return row.wrapped;
    });
    await expect(start(`${fresh},${old}`)).rejects.toBeInstanceOf(StartError);
    await ground.database.inEngine('test.mend', tx =>
      tx.updateTable('data_keys').set({ wrapped: whole }).where('workspace_id', '=', damaged).execute(),
    );
    await opensAll(old, all);
  });
});

describe('vault', () => {
  it('opens what it sealed, after a restart too, and never seals twice alike', async () => {
    const keyring = key('k1');
    const workspace = newId();
    const vault = await (await start(keyring)).vault(workspace);
    const [a, b] = [vault.seal(plain, 'a'), vault.seal(plain, 'a')];
    expect(a.equals(b)).toBe(false);
    expect(a.includes(plain)).toBe(false);
    expect((await (await start(keyring)).vault(workspace)).open(a, 'a')).toEqual(plain);
    expect(vault.open(vault.seal(Buffer.alloc(0), 'a'), 'a')).toEqual(Buffer.alloc(0));
  });

  it('opens nothing that was moved to another place or workspace, or changed by one bit', async () => {
    const secrets = await start(key('k1'));
    const [mine, other] = [newId(), newId()];
    const vault = await secrets.vault(mine);
    const sealed = vault.seal(plain, 'channel_keys:1');
    expect(() => vault.open(sealed, 'channel_keys:2')).toThrow();
    const foreign = await secrets.vault(other);
    expect(() => foreign.open(sealed, 'channel_keys:1')).toThrow();
    for (let at = 0; at < sealed.length; at += 7) {
      const changed = Buffer.from(sealed);
      changed.writeUInt8((changed[at] ?? 0) ^ 1, at);
      expect(() => vault.open(changed, 'channel_keys:1')).toThrow();
    }
    expect(() => vault.open(sealed.subarray(0, 20), 'channel_keys:1')).toThrow();
  });

  it('seals with the newest of its data keys and opens with all of them', async () => {
    const keyring = key('k1');
    const workspace = newId();
    const first = await (await start(keyring)).vault(workspace);
    const [before, print] = [first.seal(plain, 'a'), first.fingerprint(plain)];
    await ground.database.inEngine('test.add', async tx => {
      const id = newId();
      const wrapped = new Keyring(keyring).seal(randomBytes(32), `data_keys:${workspace}:${id}`);
      await tx.insertInto('data_keys').values({ workspace_id: workspace, id, wrapped }).execute();
    });
    const both = await (await start(keyring)).vault(workspace);
    expect(both.open(before, 'a')).toEqual(plain);
    expect(both.open(both.seal(plain, 'a'), 'a')).toEqual(plain);
    expect(() => first.open(both.seal(plain, 'a'), 'a')).toThrow(/data key/);
    expect(both.fingerprint(plain)).toEqual(print);
  });

  it('does not open with a data key that was moved to another workspace', async () => {
    const keyring = key('k1');
    const [mine, other] = [newId(), newId()];
    await (await start(keyring)).vault(mine);
    await ground.database.inEngine('test.swap', tx =>
      tx.updateTable('data_keys').set({ workspace_id: other }).execute(),
    );
    const secrets = await start(keyring);
    await expect(secrets.vault(other)).rejects.toThrow();
  });

  it('agrees on one data key with another node that meets the workspace at the same time', async () => {
    const keyring = key('k1');
    const nodes = [await start(keyring), await start(keyring)];
    const workspace = newId();
    const vaults = await Promise.all(nodes.map(node => node.vault(workspace)));
    const sealed = vaults[0]?.seal(plain, 'a') ?? Buffer.alloc(0);
    expect(vaults[1]?.open(sealed, 'a')).toEqual(plain);
  });

  it('joins the running transaction and forgets a data key that was rolled back with it', async () => {
    const secrets = await start(key('k1'));
    const workspace = newId();
    let lost: Buffer = Buffer.alloc(0);
    const rolledBack = ground.database.workspace(workspace, async () => {
      lost = (await secrets.vault(workspace)).seal(plain, 'a');
      throw new Error('roll back');
    });
    await expect(rolledBack).rejects.toThrow('roll back');
    const vault = await ground.database.workspace(workspace, () => secrets.vault(workspace));
    expect(() => vault.open(lost, 'a')).toThrow(/data key/);
    expect(vault).toBe(await secrets.vault(workspace));
  });
});
