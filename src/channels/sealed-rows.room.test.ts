import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type TestKernel, testKernel, testWorkspace } from '../../test/harness/database.ts';
import { createLeases, type Leases, type Tx } from '../kernel/index.ts';
import type { CredentialStore } from './adapters/contract.ts';
import { credentialStore } from './credentials.ts';
import { create } from './service.ts';

type Home = { workspaceId: string; channelId: string; store: CredentialStore };

let kernel: TestKernel;
let leases: Leases;
/** Two channels of one workspace, and one of another. */
let homes: { mine: Home; other: Home; foreign: Home };

beforeAll(async () => {
  kernel = await testKernel();
  leases = createLeases(kernel);
  const [mine, theirs] = [await testWorkspace(kernel), await testWorkspace(kernel)];
  homes = { mine: await homeIn(mine), other: await homeIn(mine), foreign: await homeIn(theirs) };
});
afterAll(async () => {
  await leases?.stop();
  await kernel?.close();
});

async function homeIn(scope: Awaited<ReturnType<typeof testWorkspace>>): Promise<Home> {
  const { workspaceId } = scope;
  const channelId = await create(scope, { kind: 'linked', label: 'Office' });
  const lease = await leases.acquire(`channel:${channelId}`);
  if (!lease) throw new Error('The lease is taken.');
  const store = await credentialStore({ kernel, workspaceId, channelId, lease }, () => undefined);
  await store.writeCredentials(Buffer.from(`credentials of ${channelId}`));
  const keys = ['session', 'sender-key'].flatMap(type =>
    ['1', '2'].map(id => ({ type, id, value: Buffer.from(`${type} ${id} of ${channelId}`) })),
  );
  const inbound = ['m1', 'm2'].map(key => ({
    key,
    kind: 'text',
    payload: Buffer.from(`${key} to ${channelId}`),
  }));
  await store.writeKeys(keys, inbound);
  return { workspaceId, channelId, store };
}

/** Overwrites one stored value with another, as whoever owns the database could. */
function overwrite(table: string, column: string, at: object, from: string, fromAt: object): Promise<void> {
  const where = (place: object) =>
    sql.join(
      Object.entries(place).map(([name, value]) => sql`${sql.ref(name)}::text = ${value}`),
      sql` and `,
    );
  return kernel.database.inEngine('test.overwrite', async (tx: Tx) => {
    const change = sql`update ${sql.table(table)} set ${sql.ref(column)} =
      (select ${sql.ref('ciphertext')} from ${sql.table(from)} where ${where(fromAt)}) where ${where(at)}`;
    const { numAffectedRows } = await change.execute(tx);
    expect(numAffectedRows).toBe(1n);
  });
}

const key = ({ workspaceId, channelId }: Home, type: string, id: string) => ({
  workspace_id: workspaceId,
  channel_id: channelId,
  type,
  key_id: id,
});
const whole = ({ workspaceId, channelId }: Home) => ({ workspace_id: workspaceId, channel_id: channelId });

describe('what a channel has stored', () => {
  it('is read again where it was written, and stands nowhere as it is', async () => {
    const { store, channelId } = homes.mine;
    expect(String(await store.readCredentials())).toBe(`credentials of ${channelId}`);
    const keys = await store.readKeys('session', ['1', '2']);
    expect([...keys.values()].map(String)).toEqual([
      `session 1 of ${channelId}`,
      `session 2 of ${channelId}`,
    ]);
    expect(String(await store.readInbound('m1'))).toBe(`m1 to ${channelId}`);
    for (const table of ['channel_credentials', 'channel_keys', 'intake']) {
      const { rows } = await kernel.database.inEngine('test.look', tx =>
        sql<{ count: number }>`select count(*)::int as count from ${sql.table(table)}
          where position(convert_to(${channelId}, 'UTF8') in ciphertext) > 0`.execute(tx),
      );
      expect(rows).toEqual([{ count: 0 }]);
    }
  });

  it.each([
    ['of another id', () => key(homes.mine, 'session', '2')],
    ['of another type', () => key(homes.mine, 'sender-key', '1')],
    ['of another channel', () => key(homes.other, 'session', '1')],
    ['of another workspace', () => key(homes.foreign, 'session', '1')],
  ])('does not open as a key %s', async (_, from) => {
    const home = homes.mine;
    await home.store.writeKeys([{ type: 'session', id: '1', value: Buffer.from('as it was') }], []);
    await overwrite('channel_keys', 'ciphertext', key(home, 'session', '1'), 'channel_keys', from());
    await expect(home.store.readKeys('session', ['1'])).rejects.toThrow();
    expect((await home.store.readKeys('session', ['2'])).size).toBe(1);
  });

  it.each([
    ['of another channel', 'channel_credentials', () => whole(homes.other)],
    ['of another workspace', 'channel_credentials', () => whole(homes.foreign)],
    ['that are a key', 'channel_keys', () => key(homes.mine, 'session', '2')],
  ])('does not open as credentials %s', async (_, table, from) => {
    const home = homes.mine;
    await home.store.writeCredentials(Buffer.from('as they were'));
    await overwrite('channel_credentials', 'ciphertext', whole(home), table, from());
    await expect(home.store.readCredentials()).rejects.toThrow();
  });

  it.each([
    ['another message', () => ({ ...whole(homes.mine), provider_key: 'm2' })],
    ['that of another channel', () => ({ ...whole(homes.other), provider_key: 'm1' })],
    ['that of another workspace', () => ({ ...whole(homes.foreign), provider_key: 'm1' })],
  ])('does not open as %s', async (_, from) => {
    const home = homes.mine;
    await overwrite('intake', 'ciphertext', { ...whole(home), provider_key: 'm1' }, 'intake', from());
    await expect(home.store.readInbound('m1')).rejects.toThrow();
  });
});
