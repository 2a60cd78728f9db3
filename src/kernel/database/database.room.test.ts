import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type TestDatabase, testDatabase } from '../../../test/harness/database.ts';
import { newId } from '../ids.ts';
import { afterCommit } from './database.ts';
import { sqlState } from './engine.ts';

let ground: TestDatabase;

beforeAll(async () => {
  ground = await testDatabase();
});
afterAll(() => ground.close());

describe('the two doors', () => {
  it('runs under its role', async () => {
    const role = sql<{ current_user: string }>`select current_user`;
    const app = await ground.database.workspace(newId(), tx => role.execute(tx));
    const engine = await ground.database.inEngine('test.role', tx => role.execute(tx));
    expect(app.rows).toEqual([{ current_user: 'convoke_app' }]);
    expect(engine.rows).toEqual([{ current_user: 'convoke_engine' }]);
  });
});
