import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { asAdministrator, type TestDatabase, testDatabase } from '../../../test/harness/database.ts';
import { until } from '../../../test/harness/until.ts';
import { openPostgres } from './postgres.ts';

let ground: TestDatabase;

beforeAll(async () => {
  ground = await testDatabase();
});
afterAll(() => ground.close());

const url = () => ground.url ?? '';

/** Cuts every connection to the test database that calls itself `name`. */
const cut = (name: string) =>
  asAdministrator(
    url(),
    `select pg_terminate_backend(pid) from pg_stat_activity
     where datname = current_database() and application_name = '${name}' and pid <> pg_backend_pid()`,
  );

const notify = (payload: string) =>
  ground.database.inEngine('test.notify', tx => sql`select pg_notify('news', ${payload})`.execute(tx));

describe('a PostgreSQL server', () => {
  it('is listened to again after the connection was cut', async () => {
    const faults: Error[] = [];
    const engine = openPostgres({ url: url(), poolSize: 1, onFault: error => faults.push(error) });
    const heard: string[] = [];
    await engine.listen('news', payload => heard.push(payload));
    await notify('before');
    await until(() => heard.includes('before'));
    await cut('convoke listen');
    await until(() => faults.length > 0);
    await until(async () => {
      await notify('after');
      return heard.includes('after');
    });
    await engine.close();
    expect(heard[0]).toBe('before');
  });

  it('is listened to on several channels that were asked for at once', async () => {
    const engine = openPostgres({ url: url(), poolSize: 1, onFault: () => undefined });
    const heard: string[] = [];
    await Promise.all(
      ['news', 'other', 'third'].map(channel =>
        engine.listen(channel, payload => heard.push(channel + payload)),
      ),
    );
    await ground.database.inEngine('test.notify', tx =>
      sql`select pg_notify('third', '!'), pg_notify('other', '!'), pg_notify('news', '!')`.execute(tx),
    );
    await until(() => heard.length === 3);
    await engine.close();
    expect(heard.toSorted()).toEqual(['news!', 'other!', 'third!']);
  });

  it('that cuts a connection fails the transaction, and the next one gets another connection', async () => {
    const work = ground.database.inEngine('test.cut', async tx => {
      await cut('convoke');
      return sql`select 1`.execute(tx);
    });
    await expect(work).rejects.toThrow();
    const { rows } = await ground.database.inEngine('test.next', tx => sql`select 1 as one`.execute(tx));
    expect(rows).toEqual([{ one: 1 }]);
  });
});
