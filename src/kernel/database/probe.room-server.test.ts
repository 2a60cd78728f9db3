import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { asAdministrator, testEngine } from '../../../test/harness/database.ts';
import { type PostgresServer, startPostgres } from '../../../test/harness/postgres-server.ts';
import { expectWalls, twoWorkspaces } from '../../../test/harness/walls.ts';
import { StartError } from '../errors.ts';
import type { Database } from './database.ts';
import { openDatabase } from './open.ts';
import { openPostgres } from './postgres.ts';
import { ROLES_SQL } from './probe.ts';

/** Roles belong to a whole cluster, so these tests have one to themselves. */
let server: PostgresServer;
let warnings: string[];
let count = 0;

beforeAll(async () => {
  server = await startPostgres(testEngine() === 'postgres18' ? 18 : 15);
});
afterAll(() => server.stop());
beforeEach(() => {
  warnings = [];
});

const run = (...statements: string[]) =>
  statements.reduce(
    (before, next) => before.then(() => asAdministrator(server.url(), next)),
    Promise.resolve(),
  );

/** A login with the given attributes that owns a database of its own. */
async function owner(attributes: string): Promise<string> {
  count += 1;
  const name = `login_${count}`;
  await run(
    `create role ${name} login ${attributes}`,
    `create database ${name} owner ${name} template template0`,
  );
  return server.url(name, name);
}

async function withDatabase<T>(url: string, work: (database: Database) => Promise<T>): Promise<T> {
  const engine = openPostgres({ url, poolSize: 3, onFault: () => undefined });
  try {
    return await work(await openDatabase(engine, text => warnings.push(text)));
  } finally {
    await engine.close();
  }
}

async function provesWalls(database: Database): Promise<void> {
  const [mine, foreign] = await twoWorkspaces(database);
  await expectWalls(database, mine, foreign);
}

/** In this order, because the first ones need a cluster that does not know the roles yet. */
describe('a login', () => {
  it('without any right but its database is held by the walls alone, and told how to add one', async () => {
    const url = await owner('nosuperuser nocreaterole');
    await withDatabase(url, async database => {
      expect(database.walls).toBe('settings');
      await provesWalls(database);
      const users = await database.workspace(crypto.randomUUID(), tx =>
        tx.selectFrom('users').selectAll().execute(),
      );
      expect(users).toEqual([]);
    });
    expect(warnings).toEqual([expect.stringContaining(ROLES_SQL)]);
  });

  it('that sees through the walls and cannot switch is refused with the remedy', async () => {
    const url = await owner('nosuperuser nocreaterole bypassrls');
    const refused = withDatabase(url, async () => 'opened');
    await expect(refused).rejects.toThrow(StartError);
    await expect(withDatabase(url, async () => 'opened')).rejects.toThrow(ROLES_SQL);
  });

  it('that may create roles gets them, also when several nodes start at once', async () => {
    const url = await owner('nosuperuser createrole');
    const opened = await Promise.all(
      [1, 2, 3].map(() => withDatabase(url, async database => database.walls)),
    );
    expect(opened).toEqual(['roles', 'roles', 'roles']);
    await withDatabase(url, provesWalls);
    expect(warnings).toEqual([]);
  });

  it('to whom the roles of the cluster were not granted goes on with settings', async () => {
    const url = await owner('nosuperuser nocreaterole');
    await withDatabase(url, async database => {
      expect(database.walls).toBe('settings');
      await provesWalls(database);
    });
  });

  it('that is granted the roles later on uses them, on the same tables', async () => {
    const url = await owner('nosuperuser nocreaterole');
    await withDatabase(url, async database => expect(database.walls).toBe('settings'));
    await run(`grant convoke_app, convoke_engine to ${new URL(url).username}`);
    await withDatabase(url, async database => {
      expect(database.walls).toBe('roles');
      await provesWalls(database);
    });
  });

  it('that sees through the walls but can switch is held by the roles', async () => {
    const url = await owner('nosuperuser nocreaterole bypassrls');
    await run(`grant convoke_app, convoke_engine to ${new URL(url).username}`);
    await withDatabase(url, async database => {
      expect(database.walls).toBe('roles');
      await provesWalls(database);
    });
  });

  it('that is a superuser is held by the roles', async () => {
    await withDatabase(await owner('superuser'), async database => {
      expect(database.walls).toBe('roles');
      await provesWalls(database);
    });
  });

  it('that is a superuser makes the roles where they are missing', async () => {
    const other = await startPostgres(testEngine() === 'postgres18' ? 18 : 15);
    try {
      await withDatabase(other.url(), async database => {
        expect(database.walls).toBe('roles');
        await provesWalls(database);
      });
    } finally {
      await other.stop();
    }
  });
});
