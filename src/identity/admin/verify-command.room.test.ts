import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type TestKernel, testKernel, testWorkspace } from '../../../test/harness/database.ts';
import { until } from '../../../test/harness/until.ts';
import {
  createCommands,
  createLeases,
  createSealer,
  INSTANCE,
  inWorkspace,
  mintScope,
  newId,
  readActivity,
  record,
  recordForInstance,
  type Scope,
} from '../../kernel/index.ts';
import { registerVerifyCommand } from './verify-command.ts';

const commands = createCommands();
const verify = (input: object = {}) => commands.run('activity verify', input);

let kernel: TestKernel;
let scope: Scope;
let slug: string;
let stop: () => Promise<void>;

const fact = (n: number) => ({ type: 'test.told', subject: { type: 'test', id: newId() }, payload: { n } });
const by = { actor: { kind: 'system' } } as const;

beforeAll(async () => {
  kernel = await testKernel();
  registerVerifyCommand(commands, kernel);
  const leases = createLeases(kernel);
  const sealer = createSealer(kernel, leases);
  sealer.start();
  stop = async () => {
    await sealer.stop();
    await leases.stop();
  };
  scope = await testWorkspace(kernel);
  slug = `workspace-${scope.workspaceId}`;
  for (const n of [1, 2, 3]) await inWorkspace(scope, tx => record(tx, scope, fact(n)));
  await kernel.database.inEngine('test.tell', tx => recordForInstance(tx, by, fact(1)));
  const count = async (of: Scope) => (await readActivity(of, { afterSeq: 0, limit: 10 })).length;
  await until(async () => (await count(scope)) === 3);
  await until(async () => (await count(mintScope(kernel, INSTANCE, by.actor))) === 1);
});
afterAll(async () => {
  await stop();
  await kernel.close();
});

async function asSuperuser(statement: string, params: unknown[] = []): Promise<void> {
  const connection = await kernel.database.engine.acquire();
  await connection.query(statement, params).finally(() => connection.release());
}

const headOf = (said: string, label: string) =>
  new RegExp(`${label}: .*\\n.*--since-head (\\S+)`).exec(said)?.[1] ?? '';

describe('activity verify', () => {
  it('says of every workspace and of the installation that all is in order, with heads to keep', async () => {
    const said = await verify();
    expect(said).toContain(`workspace ${slug}: 3 facts, in order.`);
    expect(said).toContain('installation: 1 fact, in order.');
    const sinceHead = headOf(said, slug);
    expect(await verify({ workspace: slug, sinceHead })).toContain('3 facts, in order.');
    expect(await verify({ installation: true, sinceHead: headOf(said, 'installation') })).toContain(
      '1 fact,',
    );
  });

  it('refuses a head of no chain, one that is none, and unknown workspaces', async () => {
    const sinceHead = `1:${'0'.repeat(64)}`;
    await expect(verify({ sinceHead })).rejects.toThrow('Name the chain of the head');
    await expect(verify({ workspace: slug, sinceHead: '1:x' })).rejects.toThrow('as it was printed');
    await expect(verify({ workspace: 'none' })).rejects.toThrow('no workspace with the short name "none"');
  });

  it('names chains that are being purged, and takes a purge of what has days left for a fault', async () => {
    const purging = (due: string) =>
      asSuperuser(`update workspaces set purge_began_at = now(), deletion_due_at = ${due} where slug = $1`, [
        slug,
      ]);
    const sinceHead = headOf(await verify(), slug);
    for (const due of ['null', `now() + interval '1 day'`]) {
      await purging(due);
      await expect(verify()).rejects.toThrow(`workspace ${slug}: 3 facts, 1 fault.\n  Its purge has begun`);
      const chain = inWorkspace(scope, tx => sql`select convoke_purge_chain(10)`.execute(tx));
      await expect(chain).rejects.toThrow('not being purged');
    }
    await purging('now()');
    expect(await verify()).toContain(`workspace ${slug}: being purged, not verified.`);
    await expect(verify({ workspace: slug, sinceHead })).rejects.toThrow('not verified');
    await asSuperuser('update workspaces set purge_began_at = null, deletion_due_at = null where slug = $1', [
      slug,
    ]);
  });

  it('finds what a head that was kept elsewhere tells of, and what was edited', async () => {
    const sinceHead = headOf(await verify(), slug);
    const other = sinceHead.replace(/.$/, last => (last === '0' ? '1' : '0'));
    await expect(verify({ workspace: slug, sinceHead: other })).rejects.toThrow('written anew');
    await expect(verify({ workspace: slug, sinceHead: sinceHead.replace('3:', '9:') })).rejects.toThrow(
      'before the head that was kept elsewhere',
    );
    await asSuperuser(`update activity set address = '::1' where workspace_id = $1 and type = 'test.told'`, [
      scope.workspaceId,
    ]);
    await expect(verify()).rejects.toThrow(/: 3 facts, 3 faults\.\n {2}Seal 1 \(test\.told\)/);
    expect(await verify({ installation: true })).toContain('1 fact, in order.');
  });

  it('keeps watch over the chain that a deleted workspace left behind', async () => {
    const gone = newId();
    await kernel.database.inEngine('test.head', tx =>
      tx
        .insertInto('activity_heads')
        .values({ workspace_id: gone, seq: 2, hash: Buffer.alloc(32) })
        .execute(),
    );
    await expect(verify()).rejects.toThrow(`workspace ${gone}, deleted: 0 facts, 1 fault.`);
  });
});
