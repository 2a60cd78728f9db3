import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { blankDatabase } from '../test/harness/database.ts';
import { startConvoke } from './main.ts';

let env: Record<string, string>;
let closeDatabase: () => Promise<void>;

beforeAll(async () => {
  const blank = await blankDatabase();
  closeDatabase = blank.close;
  env = {
    CONVOKE_PORT: '0',
    CONVOKE_LOG_LEVEL: 'silent',
    CONVOKE_MASTER_KEY: `k1:${Buffer.alloc(32, 1).toString('base64')}`,
    DATABASE_URL: blank.url ?? '',
  };
});
afterAll(() => closeDatabase());

describe('a database on a server', () => {
  it('of another name says so', async () => {
    const url = new URL(env.DATABASE_URL ?? '');
    url.pathname = '/no_such_database';
    await expect(startConvoke({ ...env, DATABASE_URL: url.href })).rejects.toThrow(
      'no database of that name',
    );
  });

  it('asks for the master key that its nodes share', async () => {
    const { CONVOKE_MASTER_KEY: _, ...keyless } = env;
    await expect(startConvoke(keyless)).rejects.toThrow('CONVOKE_MASTER_KEY');
  });

  it('serves two nodes, of which one first start makes the owner', async () => {
    const nodes = await Promise.all(
      [1, 2].map(number => startConvoke({ ...env, CONVOKE_NODE_ID: `node-${number}` })),
    );
    const users = await nodes[0]?.kernel.database.inEngine('test.users', tx =>
      tx.selectFrom('users').select('username').execute(),
    );
    expect(users).toEqual([{ username: 'admin' }]);
    const running = await nodes[1]?.kernel.database.inEngine('test.nodes', tx =>
      tx.selectFrom('nodes').select('node_id').where('stopped_at', 'is', null).orderBy('node_id').execute(),
    );
    expect(running).toEqual([{ node_id: 'node-1' }, { node_id: 'node-2' }]);
    await Promise.all(nodes.map(node => node.stop()));
  });
});
