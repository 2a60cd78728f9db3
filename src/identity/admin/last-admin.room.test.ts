import { describe, expect, it } from 'vitest';
import { as, consoleHouse } from '../../../test/harness/console.ts';
import { until } from '../../../test/harness/until.ts';
import { AppError } from '../../kernel/index.ts';
import { createUser } from '../users.ts';
import { changeUser, deleteUser } from './users.ts';

const house = consoleHouse();
const { call, user, admins, commands } = house;

describe('the last admin', () => {
  it('can neither be demoted, locked nor deleted, in the console or on the command line', async () => {
    const path = `/v1/admin/users/${house.anna.id}`;
    for (const change of [{ is_admin: false }, { locked: true }])
      expect((await call('PATCH', path, change)).body.code).toBe('illegal_state');
    expect((await call('DELETE', path, { confirm: 'anna' })).body.code).toBe('illegal_state');
    await expect(commands.run('demote', { user: 'anna' })).rejects.toThrow('Somebody must be able to run');
    expect((await admins()).map(one => one.username)).toEqual(['anna']);
    // An admin who is locked out is none to count on.
    const bob = await user('bob', { isAdmin: true });
    await call('PATCH', `/v1/admin/users/${bob.id}`, { locked: true });
    expect((await call('PATCH', path, { is_admin: false })).body.code).toBe('illegal_state');
  });

  it('is counted on only where whoever acts still is an admin when their turn comes', async () => {
    const [bob, carl] = [await user('bob'), await user('carl')];
    for (const act of [
      () => changeUser(house.kernel, as(bob.id), carl.id, { is_admin: true }),
      () => deleteUser(house.kernel, as(bob.id), carl.id, 'carl'),
    ])
      await expect(act()).rejects.toMatchObject({ code: 'not_found' });
    expect((await admins()).map(one => one.username)).toEqual(['anna']);
  });

  type Act = (by: string, of: { id: string; name: string }) => Promise<unknown>;
  const acts: [string, Act][] = [
    ['demote', (by, of) => changeUser(house.kernel, as(by), of.id, { is_admin: false })],
    ['lock', (by, of) => changeUser(house.kernel, as(by), of.id, { locked: true })],
    ['delete', (by, of) => deleteUser(house.kernel, as(by), of.id, of.name)],
  ];

  it.each(acts)(
    'is left where two admins %s each other at once: exactly one succeeds',
    async (_name, act) => {
      for (let round = 0; round < 5; round++) {
        const names = [`left${round}`, `right${round}`];
        const ids = await Promise.all(
          names.map(username => createUser(house.kernel, { username, isAdmin: true })),
        );
        await house.kernel.database.inEngine('test.only', tx =>
          tx.updateTable('users').set({ is_admin: false }).where('id', 'not in', ids).execute(),
        );
        const outcomes = await atOnce(
          ids,
          ids.map((id, at) => () => act(id, { id: ids[1 - at] ?? '', name: names[1 - at] ?? '' })),
        );
        expect(outcomes.map(one => one.status).sort()).toEqual(['fulfilled', 'rejected']);
        const refused = outcomes.find(one => one.status === 'rejected');
        expect(refused?.reason).toBeInstanceOf(AppError);
        const left = await house.kernel.database.inEngine('test.admins', tx =>
          tx
            .selectFrom('users')
            .select('id')
            .where('is_admin', '=', true)
            .where('locked_at', 'is', null)
            .execute(),
        );
        expect(left).toHaveLength(1);
      }
    },
  );

  it('is left where three admins demote each other in a circle at once', async () => {
    const names = ['one', 'two', 'three'];
    const ids = await Promise.all(
      names.map(username => createUser(house.kernel, { username, isAdmin: true })),
    );
    await house.kernel.database.inEngine('test.only', tx =>
      tx.updateTable('users').set({ is_admin: false }).where('id', 'not in', ids).execute(),
    );
    await atOnce(
      ids,
      ids.map(
        (id, at) => () => changeUser(house.kernel, as(id), ids[(at + 1) % 3] ?? '', { is_admin: false }),
      ),
    );
    const left = await house.kernel.database.inEngine('test.admins', tx =>
      tx.selectFrom('users').select('id').where('is_admin', '=', true).execute(),
    );
    expect(left.length).toBeGreaterThan(0);
  });
});

/** Starts the acts and holds the rows of these users until all wait for something, so that none is just faster. */
async function atOnce(ids: string[], acts: (() => Promise<unknown>)[]) {
  const { engine } = house.kernel.database;
  // There, one transaction comes after the other anyway.
  if (engine.kind === 'embedded') return Promise.allSettled(acts.map(act => act()));
  const waiting = `select count(*)::int as count from pg_stat_activity
    where datname = current_database() and wait_event_type = 'Lock'`;
  const holder = await engine.acquire();
  await holder.script('begin');
  await holder.query('select from users where id = any($1::uuid[]) for update', [ids]);
  const outcomes = Promise.allSettled(acts.map(act => act()));
  const count = async () => {
    // Within one transaction the server shows what it has shown before.
    await holder.query('select pg_stat_clear_snapshot()', []);
    return Number((await holder.query(waiting, [])).rows[0]?.count);
  };
  try {
    await until(async () => (await count()) === acts.length);
  } finally {
    await holder.script('commit');
    holder.release();
  }
  return outcomes;
}
