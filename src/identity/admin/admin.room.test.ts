import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { type TestKernel, testKernel } from '../../../test/harness/database.ts';
import { until } from '../../../test/harness/until.ts';
import {
  AppError,
  type Author,
  createCommands,
  createHttp,
  type Http,
  INSTANCE,
  newId,
} from '../../kernel/index.ts';
import { registerIdentityCommands } from '../commands.ts';
import { createGate } from '../logins/gate.ts';
import { registerIdentityRoutes } from '../routes.ts';
import { createUser } from '../users.ts';
import { addMember, createWorkspace } from '../workspaces/workspaces.ts';
import { registerAdminRoutes } from './routes.ts';
import type { AdminUserPage, AdminWorkspacePage, Settings } from './schema.ts';
import { createMaintenance } from './settings.ts';
import { changeUser, deleteUser } from './users.ts';

const PASSWORD = 'correct horse battery';
const ORIGIN = 'http://convoke.test';

let kernel: TestKernel;
let other: TestKernel;
let http: Http;
let closed: string[];
const commands = createCommands();

beforeAll(async () => {
  kernel = await testKernel();
  other = await testKernel({ database: kernel.database });
  http = await createHttp(kernel, createGate(kernel), { maintenance: createMaintenance(kernel) });
  registerIdentityRoutes(http, kernel);
  registerIdentityCommands(commands, kernel);
  registerAdminRoutes(http, kernel, async scope => void closed.push(scope.workspaceId));
  http.open({
    method: 'POST',
    url: '/v1/write',
    permission: 'login',
    summary: 'Changes something',
    tag: 'test',
    answers: { 200: z.object({}) },
    handler: async () => ({ body: {} }),
  });
  await http.app.ready();
});
afterAll(async () => {
  await http.close();
  await other.close();
  await kernel.close();
});

let anna: { id: string; cookie: string };

beforeEach(async () => {
  closed = [];
  await kernel.database.inEngine('test.clear', async tx => {
    await tx.deleteFrom('members').execute();
    await tx.deleteFrom('users').execute();
    await tx.deleteFrom('workspaces').execute();
    // Nobody here signs in too often.
    for (const table of ['limit_hits', 'login_failures'] as const) await tx.deleteFrom(table).execute();
    await tx
      .updateTable('instance_settings')
      .set({ maintenance_since: null, maintenance_note: null, sign_up: 'invitation' })
      .execute();
  });
  const id = await createUser(kernel, { username: 'anna', password: PASSWORD, isAdmin: true });
  anna = { id, cookie: await signIn('anna') };
  await writesAnswer(200);
});

type Method = 'GET' | 'POST' | 'PATCH' | 'DELETE';

async function call<T = { code?: string; detail?: string }>(
  method: Method,
  url: string,
  body?: object,
  cookie: string | undefined = anna.cookie,
) {
  const answer = await http.app.inject({
    method,
    url,
    headers: { host: 'convoke.test', origin: ORIGIN, ...(cookie ? { cookie } : {}) },
    ...(body ? { payload: body } : {}),
  });
  return {
    status: answer.statusCode,
    body: (answer.body ? answer.json() : undefined) as T,
    headers: answer.headers,
  };
}

async function signIn(username: string): Promise<string> {
  const answer = await http.app.inject({
    method: 'POST',
    url: '/v1/login',
    payload: { username, password: PASSWORD },
    headers: { host: 'convoke.test', origin: ORIGIN },
  });
  expect(answer.statusCode).toBe(200);
  return [answer.headers['set-cookie']].flat()[0]?.split(';')[0] ?? '';
}

async function user(username: string, more: { isAdmin?: boolean } = {}) {
  const id = await createUser(kernel, { username, password: PASSWORD, ...more });
  return { id, cookie: await signIn(username) };
}

const facts = () =>
  kernel.database.inEngine('test.facts', tx =>
    tx
      .selectFrom('activity')
      .select(['type', 'actor_id', 'address', 'subject_id', 'payload'])
      .where('workspace_id', '=', INSTANCE)
      .where('type', 'like', 'admin.%')
      .orderBy('id', 'desc')
      .execute(),
  );

const admins = async () =>
  (await call<z.output<typeof AdminUserPage>>('GET', '/v1/admin/users')).body.data.filter(
    one => one.is_admin,
  );

/** A node hears of a change just after whoever made it was answered. */
const writesAnswer = (status: number, cookie?: string) =>
  until(async () => (await call('POST', '/v1/write', {}, cookie)).status === status);

const withoutRequestId = (body: object | undefined) => ({ ...body, request_id: undefined });
const as = (id: string): Author => ({ actor: { kind: 'user', id }, address: '203.0.113.7' });

describe('the console', () => {
  it('is not there for anybody but its admins, whatever is asked of it', async () => {
    const bob = await user('bob');
    const known: [Method, string][] = Object.entries(http.app.swagger().paths ?? {}).flatMap(([path, item]) =>
      Object.entries(item as object)
        .filter(([, operation]) => operation['x-permission'] === 'admin')
        .map(([method]): [Method, string] => [
          method.toUpperCase() as Method,
          path.replace('{id}', method === 'patch' ? anna.id : bob.id),
        ]),
    );
    expect(known.length).toBeGreaterThanOrEqual(16);
    for (const cookie of [bob.cookie, '', 'convoke_login=x']) {
      for (const [method, path] of known) {
        const [there, missing] = await Promise.all([
          call(method, path, method === 'GET' ? undefined : {}, cookie),
          call(method, '/v1/admin-of-nothing', method === 'GET' ? undefined : {}, cookie),
        ]);
        expect(there.status).toBe(404);
        expect(withoutRequestId(there.body)).toEqual(withoutRequestId(missing.body));
        const names = (headers: object) => Object.keys(headers).filter(name => name !== 'content-length');
        expect(names(there.headers)).toEqual(names(missing.headers));
      }
      expect((await call('DELETE', '/v1/admin/settings', {}, cookie)).status).toBe(404);
    }
    expect((await facts()).filter(fact => fact.actor_id === bob.id)).toEqual([]);
  });

  it('closes at once for who is demoted or locked', async () => {
    const bob = await user('bob', { isAdmin: true });
    expect((await call('GET', '/v1/admin/settings', undefined, bob.cookie)).status).toBe(200);
    expect((await call('PATCH', `/v1/admin/users/${bob.id}`, { is_admin: false })).status).toBe(200);
    expect((await call('GET', '/v1/admin/settings', undefined, bob.cookie)).status).toBe(404);
  });

  it('keeps what was done there, by whom and from where, away from all workspaces', async () => {
    const bob = await user('bob');
    await call('PATCH', `/v1/admin/users/${bob.id}`, { is_admin: true });
    expect((await facts())[0]).toEqual({
      type: 'admin.user_promoted',
      actor_id: anna.id,
      address: '127.0.0.1',
      subject_id: bob.id,
      payload: {},
    });
    // Not sealed here: nobody runs the sealer. The page answers all the same.
    expect((await call('GET', '/v1/admin/activity?type=admin.')).body).toMatchObject({ data: [] });
  });
});

describe('users', () => {
  it('are listed in pages, and found by a part of any name, taken as it is typed', async () => {
    for (const name of ['bob', 'bert', 'carl_x']) await createUser(kernel, { username: name });
    const page = (query: string) =>
      call<z.output<typeof AdminUserPage>>('GET', `/v1/admin/users?${query}`).then(answer => answer.body);
    const names = async (query: string) => (await page(query)).data.map(one => one.username);
    expect(await names('')).toEqual(['carl_x', 'bert', 'bob', 'anna']);
    expect(await names('search=B')).toEqual(['bert', 'bob']);
    expect(await names('search=l_x')).toEqual(['carl_x']);
    expect(await names('search=%25')).toEqual([]);
    const first = await page('limit=3');
    expect(first.data).toHaveLength(3);
    expect(await names(`limit=3&cursor=${first.page.next_cursor}`)).toEqual(['anna']);
    expect((await page('search=anna')).data[0]).toMatchObject({
      id: anna.id,
      is_admin: true,
      has_password: true,
      has_second_factor: false,
      workspaces: 0,
      locked_at: null,
      seen_at: expect.any(String),
    });
  });

  it('are added without a password, which they choose at a link that works once', async () => {
    const added = await call<{ user: { id: string; has_password: boolean }; link: { path: string } }>(
      'POST',
      '/v1/admin/users',
      { username: 'bob' },
    );
    expect(added.status).toBe(201);
    expect(added.body.user.has_password).toBe(false);
    const token = added.body.link.path.split('/setup/')[1];
    expect((await call('POST', '/v1/setup', { token, password: PASSWORD }, '')).status).toBe(200);
    expect((await call('POST', '/v1/setup', { token, password: PASSWORD }, '')).status).toBe(422);
    expect((await call('POST', '/v1/admin/users', { username: 'BOB' })).body.code).toBe('conflict');
    const again = await call<{ path: string }>('POST', `/v1/admin/users/${added.body.user.id}/link`, {});
    const second = again.body.path.split('/setup/')[1];
    expect((await call('POST', '/v1/setup', { token: second, password: `${PASSWORD}2` }, '')).status).toBe(
      200,
    );
    expect((await call('POST', `/v1/admin/users/${newId()}/link`, {})).status).toBe(404);
  });

  it('that are locked are out at once, and stay signed out when they are unlocked', async () => {
    const bob = await user('bob');
    await call('PATCH', `/v1/admin/users/${bob.id}`, { locked: true });
    expect((await call('GET', '/v1/me', undefined, bob.cookie)).status).toBe(401);
    expect((await call('POST', '/v1/login', { username: 'bob', password: PASSWORD }, '')).status).toBe(401);
    await call('PATCH', `/v1/admin/users/${bob.id}`, { locked: false });
    expect((await call('GET', '/v1/me', undefined, bob.cookie)).status).toBe(401);
    expect((await call('POST', '/v1/login', { username: 'bob', password: PASSWORD }, '')).status).toBe(200);
    expect((await facts()).slice(0, 2).map(fact => fact.type)).toEqual([
      'admin.user_unlocked',
      'admin.user_locked',
    ]);
  });

  it('are mailed a link where they have an address', async () => {
    const bob = await user('bob');
    const send = () => call('POST', `/v1/admin/users/${bob.id}/mail`, {});
    expect((await send()).body.code).toBe('illegal_state');
    await kernel.database.inEngine('test.email', tx =>
      tx.updateTable('users').set({ email: 'bob@example.org' }).where('id', '=', bob.id).execute(),
    );
    expect((await send()).status).toBe(204);
    const jobs = await kernel.database.inEngine('test.jobs', tx =>
      tx.selectFrom('jobs').select(['name', 'payload']).where('name', '=', 'identity.reset_mail').execute(),
    );
    expect(jobs).toEqual([{ name: 'identity.reset_mail', payload: { name: 'bob@example.org' } }]);
    expect((await facts())[0]).toMatchObject({ type: 'admin.link_mailed', subject_id: bob.id });
  });

  it('are signed out everywhere, and only they', async () => {
    const [bob, carl] = [await user('bob'), await user('carl')];
    expect((await call('POST', `/v1/admin/users/${bob.id}/logout`, {})).status).toBe(204);
    expect((await call('GET', '/v1/me', undefined, bob.cookie)).status).toBe(401);
    expect((await call('GET', '/v1/me', undefined, carl.cookie)).status).toBe(200);
  });

  it('are deleted by who types the name once more, unless nobody else owns a workspace of theirs', async () => {
    const bob = await user('bob');
    const id = await createWorkspace(kernel, { slug: 'demo', name: 'Demo' });
    await addMember(kernel, { workspaceId: id, userId: bob.id, role: 'owner' });
    const drop = (confirm: string) => call('DELETE', `/v1/admin/users/${bob.id}`, { confirm });
    expect((await drop('bo')).body.code).toBe('validation_failed');
    expect((await drop('bob')).body).toMatchObject({
      code: 'illegal_state',
      detail: expect.stringContaining('demo'),
    });
    await addMember(kernel, { workspaceId: id, userId: anna.id, role: 'owner' });
    expect((await drop('bob')).status).toBe(204);
    expect((await call('GET', '/v1/me', undefined, bob.cookie)).status).toBe(401);
    expect((await drop('bob')).status).toBe(404);
    expect((await facts())[0]).toMatchObject({ type: 'admin.user_deleted', payload: { name: 'bob' } });
  });
});

/** Starts the acts and holds the rows of these users until all wait for something, so that none is just faster. */
async function atOnce(ids: string[], acts: (() => Promise<unknown>)[]) {
  const { engine } = kernel.database;
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

describe('the last admin', () => {
  it('can neither be demoted, locked nor deleted, in the console or on the command line', async () => {
    const path = `/v1/admin/users/${anna.id}`;
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
      () => changeUser(kernel, as(bob.id), carl.id, { is_admin: true }),
      () => deleteUser(kernel, as(bob.id), carl.id, 'carl'),
    ])
      await expect(act()).rejects.toMatchObject({ code: 'not_found' });
    expect((await admins()).map(one => one.username)).toEqual(['anna']);
  });

  type Act = (by: string, of: { id: string; name: string }) => Promise<unknown>;
  const acts: [string, Act][] = [
    ['demote', (by, of) => changeUser(kernel, as(by), of.id, { is_admin: false })],
    ['lock', (by, of) => changeUser(kernel, as(by), of.id, { locked: true })],
    ['delete', (by, of) => deleteUser(kernel, as(by), of.id, of.name)],
  ];

  it.each(acts)(
    'is left where two admins %s each other at once: exactly one succeeds',
    async (_name, act) => {
      for (let round = 0; round < 5; round++) {
        const names = [`left${round}`, `right${round}`];
        const ids = await Promise.all(names.map(username => createUser(kernel, { username, isAdmin: true })));
        await kernel.database.inEngine('test.only', tx =>
          tx.updateTable('users').set({ is_admin: false }).where('id', 'not in', ids).execute(),
        );
        const outcomes = await atOnce(
          ids,
          ids.map((id, at) => () => act(id, { id: ids[1 - at] ?? '', name: names[1 - at] ?? '' })),
        );
        expect(outcomes.map(one => one.status).sort()).toEqual(['fulfilled', 'rejected']);
        const refused = outcomes.find(one => one.status === 'rejected');
        expect(refused?.reason).toBeInstanceOf(AppError);
        const left = await kernel.database.inEngine('test.admins', tx =>
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
    const ids = await Promise.all(names.map(username => createUser(kernel, { username, isAdmin: true })));
    await kernel.database.inEngine('test.only', tx =>
      tx.updateTable('users').set({ is_admin: false }).where('id', 'not in', ids).execute(),
    );
    await atOnce(
      ids,
      ids.map((id, at) => () => changeUser(kernel, as(id), ids[(at + 1) % 3] ?? '', { is_admin: false })),
    );
    const left = await kernel.database.inEngine('test.admins', tx =>
      tx.selectFrom('users').select('id').where('is_admin', '=', true).execute(),
    );
    expect(left.length).toBeGreaterThan(0);
  });
});

describe('workspaces', () => {
  it('are listed with their members, closed with the name typed once more, and kept after all', async () => {
    const id = await createWorkspace(kernel, { slug: 'demo', name: 'Demo' });
    await addMember(kernel, { workspaceId: id, userId: anna.id, role: 'owner' });
    const list = await call<z.output<typeof AdminWorkspacePage>>('GET', '/v1/admin/workspaces?search=dem');
    expect(list.body.data).toMatchObject([{ id, slug: 'demo', members: 1, deletion_due_at: null }]);
    const path = `/v1/admin/workspaces/${id}/deletion`;
    expect((await call('POST', path, { slug: 'dem' })).status).toBe(422);
    expect(closed).toEqual([]);
    expect((await call('POST', path, { slug: 'demo' })).body).toMatchObject({
      deletion_due_at: expect.any(String),
    });
    expect(closed).toEqual([id]);
    expect((await call('DELETE', path, {})).body).toMatchObject({ deletion_due_at: null });
    expect((await call('POST', path.replace(id, newId()), { slug: 'demo' })).status).toBe(404);
    expect((await facts()).slice(0, 2)).toMatchObject([
      { type: 'admin.workspace_kept', subject_id: id },
      { type: 'admin.workspace_deletion_asked', subject_id: id, payload: { slug: 'demo' } },
    ]);
  });
});

describe('what is decided for all', () => {
  it('is who may sign up and what they agree to, told with before and after', async () => {
    const terms = { version: '2', url: 'https://convoke.example.org/terms' };
    const changed = await call<Settings>('PATCH', '/v1/admin/settings', { sign_up: 'open', terms });
    expect(changed.body).toEqual({ sign_up: 'open', terms, maintenance: null });
    expect((await facts())[0]).toMatchObject({
      type: 'admin.settings_changed',
      payload: { before: { sign_up: 'invitation', terms: null }, after: { sign_up: 'open', terms } },
    });
    expect((await call<Settings>('PATCH', '/v1/admin/settings', { terms: null })).body.sign_up).toBe('open');
    for (const url of ['javascript:alert(1)', 'terms.html'])
      expect((await call('PATCH', '/v1/admin/settings', { terms: { version: '3', url } })).status).toBe(422);
  });

  it('is the kill switch, which ends every login at once, also of who pressed it', async () => {
    const bob = await user('bob');
    expect((await call('POST', '/v1/admin/logout', {})).status).toBe(204);
    for (const { cookie } of [anna, bob])
      expect((await call('GET', '/v1/me', undefined, cookie)).status).toBe(401);
    expect((await facts())[0]).toMatchObject({ type: 'admin.all_logins_ended', actor_id: anna.id });
    expect((await call('GET', '/v1/me', undefined, await signIn('bob'))).status).toBe(200);
  });
});

describe('maintenance', () => {
  it('refuses what would change something, and lets people read, sign in, sign out and end it', async () => {
    const bob = await user('bob');
    const begun = await call<Settings>('POST', '/v1/admin/maintenance', { note: 'Back at ten.' });
    expect(begun.body.maintenance).toMatchObject({ note: 'Back at ten.' });
    await writesAnswer(503);
    const refused = await call('POST', '/v1/write', {}, bob.cookie);
    expect(refused.body).toMatchObject({
      status: 503,
      code: 'maintenance',
      note: 'Back at ten.',
      detail: expect.stringContaining('Back at ten.'),
    });
    expect(refused.headers['retry-after']).toBe('60');
    expect((await call('POST', '/v1/setup', { token: 'x', password: PASSWORD }, '')).status).toBe(503);
    expect((await call('GET', '/v1/me', undefined, bob.cookie)).status).toBe(200);
    expect((await call('POST', '/v1/logout', {}, bob.cookie)).status).toBe(204);
    const cookie = await signIn('bob');
    expect((await call('POST', '/v1/write', {}, cookie)).status).toBe(503);
    expect((await call('PATCH', '/v1/admin/settings', {}, cookie)).status).toBe(404);
    expect((await call<Settings>('DELETE', '/v1/admin/maintenance', {})).body.maintenance).toBeNull();
    await writesAnswer(200, cookie);
    expect((await facts()).slice(0, 2).map(fact => fact.type)).toEqual([
      'admin.maintenance_ended',
      'admin.maintenance_began',
    ]);
  });

  it('is heard of by the other nodes at once', async () => {
    const there = createMaintenance(other, 3_600_000);
    expect(await there()).toBeUndefined();
    await commands.run('maintenance', { mode: 'on', note: 'Soon over.' });
    await until(async () => (await there())?.note === 'Soon over.');
    await commands.run('maintenance', { mode: 'off' });
    await until(async () => (await there()) === undefined);
  });

  it('counts after a second where the wake-up was lost', async () => {
    const here = createMaintenance(other);
    expect(await here()).toBeUndefined();
    const from = performance.now();
    await kernel.database.inEngine('test.maintenance', tx =>
      tx.updateTable('instance_settings').set({ maintenance_since: new Date() }).execute(),
    );
    await until(async () => (await here()) !== undefined);
    expect(performance.now() - from).toBeLessThan(5_000);
  });

  it('asks the database once for many writes', async () => {
    let reads = 0;
    const database = Object.create(kernel.database) as typeof kernel.database;
    database.inEngine = (...args) => {
      reads += 1;
      return kernel.database.inEngine(...(args as Parameters<typeof kernel.database.inEngine>)) as never;
    };
    const here = createMaintenance({ ...kernel, database }, 60_000);
    await Promise.all(Array.from({ length: 50 }, () => here()));
    expect(reads).toBe(1);
  });
});

describe('the commands of the operator', () => {
  it('promote, demote and list users', async () => {
    await user('bob');
    expect(await commands.run('promote', { user: 'bob' })).toContain('bob runs this Convoke now');
    expect(await commands.run('list-users', {})).toMatch(
      /^bob {2}\(admin, 0 workspaces, seen .*\nanna {2}\(admin/,
    );
    expect(await commands.run('list-users', { search: 'ann' })).toMatch(/^anna /);
    expect(await commands.run('demote', { user: 'BOB' })).toContain('no admin');
    expect((await admins()).map(one => one.username)).toEqual(['anna']);
    await expect(commands.run('promote', { user: 'nobody' })).rejects.toThrow('There is no user "nobody".');
    expect((await facts())[0]).toMatchObject({ type: 'admin.user_demoted', actor_id: null, address: null });
  });

  it('end the logins of one user or of everybody', async () => {
    const bob = await user('bob');
    await commands.run('revoke-logins', { user: 'bob' });
    expect((await call('GET', '/v1/me', undefined, bob.cookie)).status).toBe(401);
    expect((await call('GET', '/v1/me')).status).toBe(200);
    expect(await commands.run('revoke-logins', {})).toContain('Every login');
    expect((await call('GET', '/v1/me')).status).toBe(401);
  });

  it('begin and end maintenance, and choose who may sign up', async () => {
    await commands.run('maintenance', { mode: 'on', note: 'Back at ten.' });
    await writesAnswer(503);
    await commands.run('maintenance', { mode: 'off' });
    await writesAnswer(200);
    expect(await commands.run('sign-up', { mode: 'closed' })).toBe('Nobody may make an account now.');
    expect((await call<Settings>('GET', '/v1/admin/settings')).body.sign_up).toBe('closed');
    await expect(commands.run('sign-up', { mode: 'ajar' })).rejects.toThrow();
  });
});
