import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { type TestKernel, testKernel } from '../../test/harness/database.ts';
import { createCommands, createHttp, type Http, newId } from '../kernel/index.ts';
import { registerIdentityCommands } from './commands.ts';
import { prepareFirstStart } from './first-start.ts';
import { createGate } from './logins/gate.ts';
import { tokenHash } from './logins/tokens.ts';
import { registerIdentityRoutes } from './routes.ts';
import { createUser } from './users.ts';
import { addMember, createWorkspace } from './workspaces/workspaces.ts';

const PASSWORD = 'correct horse battery';
const ORIGIN = 'http://convoke.test';

const Where = z.object({
  workspace_id: z.string(),
  actor: z.unknown(),
  address: z.string(),
  may_manage: z.boolean(),
});

let kernel: TestKernel;
let http: Http;
let workspaceId: string;

beforeAll(async () => {
  kernel = await testKernel();
  http = await createHttp(kernel, createGate(kernel));
  registerIdentityRoutes(http, kernel);
  http.workspace({
    method: 'GET',
    url: '/v1/where',
    permission: 'channels.read',
    summary: 'Which workspace a request acts in',
    tag: 'test',
    answers: { 200: Where },
    handler: async ({ scope }) => ({
      body: {
        workspace_id: scope.workspaceId,
        actor: scope.actor,
        address: scope.address,
        may_manage: scope.may('channels.manage'),
      },
    }),
  });
  http.workspace({
    method: 'POST',
    url: '/v1/where',
    permission: 'channels.manage',
    summary: 'Changes nothing',
    tag: 'test',
    answers: { 204: null },
    handler: async () => ({}),
  });
  await http.app.ready();
});
afterAll(async () => {
  await http.close();
  await kernel.close();
});
beforeEach(async () => {
  await kernel.database.inEngine('test.clear', async tx => {
    await tx.deleteFrom('members').execute();
    await tx.deleteFrom('users').execute();
    await tx.deleteFrom('workspaces').execute();
    await tx.deleteFrom('login_failures').execute();
    await tx.deleteFrom('limit_hits').execute();
  });
  workspaceId = await createWorkspace(kernel, { slug: 'demo', name: 'Demo' });
});

async function member(username: string, role: 'owner' | 'viewer' = 'owner'): Promise<string> {
  const userId = await createUser(kernel, { username, password: PASSWORD });
  await addMember(kernel, { workspaceId, userId, role });
  return userId;
}

function post(url: string, payload: object, headers: Record<string, string> = {}) {
  return http.app.inject({
    method: 'POST',
    url,
    payload,
    headers: { host: 'convoke.test', origin: ORIGIN, ...headers },
  });
}

function get(url: string, headers: Record<string, string> = {}) {
  return http.app.inject({ url, headers });
}

async function signIn(username: string, password = PASSWORD): Promise<string> {
  const answer = await post('/v1/login', { username, password });
  expect(answer.statusCode).toBe(200);
  return loginCookieIn(answer);
}

function cookiesIn(answer: { headers: Record<string, unknown> }): string[] {
  return [answer.headers['set-cookie'] ?? []].flat() as string[];
}

function loginCookieIn(answer: { headers: Record<string, unknown> }): string {
  return cookiesIn(answer)[0]?.split(';')[0] ?? '';
}

const logins = () =>
  kernel.database.inEngine('test.logins', tx => tx.selectFrom('logins').selectAll().execute());

const withoutRequestId = (body: string) => ({ ...JSON.parse(body), request_id: undefined });

describe('signing in', () => {
  it('gives a cookie that scripts of a page cannot read, and tells who one is', async () => {
    const userId = await member('Anna');
    const answer = await post('/v1/login', { username: 'ANNA', password: PASSWORD });
    expect(cookiesIn(answer)[0]).toMatch(
      /^convoke_login=[A-Za-z0-9_-]{43}; Path=\/; Expires=[^;]+; HttpOnly; SameSite=Lax$/,
    );
    expect(answer.json()).toMatchObject({
      user: { id: userId, username: 'Anna' },
      workspaces: [
        {
          id: workspaceId,
          slug: 'demo',
          role: 'owner',
          permissions: expect.arrayContaining(['channels.manage']),
        },
      ],
      instance: { sandbox: false, virtual_phones_url: null },
    });
    expect((await get('/v1/me', { cookie: await signIn('anna') })).json()).toEqual(answer.json());
  });

  it('stores only the hash of the token', async () => {
    await member('anna');
    const cookie = await signIn('anna');
    const token = cookie.split('=')[1] ?? '';
    const stored = await kernel.database.inEngine('test.tokens', tx =>
      tx.selectFrom('login_tokens').selectAll().execute(),
    );
    expect(stored.map(row => row.token_hash)).toEqual([tokenHash(token)]);
    expect(JSON.stringify([stored, await logins()])).not.toContain(token);
  });

  it('answers an unknown name, a wrong password and a user without one alike', async () => {
    await member('anna');
    await createUser(kernel, { username: 'unset' });
    const answers = await Promise.all([
      post('/v1/login', { username: 'nobody', password: PASSWORD }),
      post('/v1/login', { username: 'anna', password: 'wrong horse battery' }),
      post('/v1/login', { username: 'unset', password: PASSWORD }),
      post('/v1/login', { username: "' or 1=1 --", password: PASSWORD }),
    ]);
    for (const answer of answers) {
      expect(answer.statusCode).toBe(401);
      expect(answer.headers['set-cookie']).toBeUndefined();
      expect(withoutRequestId(answer.body)).toEqual(withoutRequestId(answers[0]?.body ?? ''));
    }
    expect(await logins()).toEqual([]);
  });

  it('names wrong fields', async () => {
    const answer = await post('/v1/login', { username: 7, remember: true });
    expect(answer.json()).toMatchObject({
      status: 422,
      errors: expect.arrayContaining([
        { path: 'username', detail: 'Must be a text.' },
        { path: 'password', detail: 'This field is required.' },
        expect.objectContaining({ path: 'remember' }),
      ]),
    });
  });

  it('from the page of another site is refused', async () => {
    await member('anna');
    const answer = await post(
      '/v1/login',
      { username: 'anna', password: PASSWORD },
      { origin: 'https://evil.example' },
    );
    expect(answer.json()).toMatchObject({ status: 403, code: 'foreign_origin' });
  });

  it('again replaces the login that the browser had', async () => {
    await member('anna');
    const first = await signIn('anna');
    const second = await post('/v1/login', { username: 'anna', password: PASSWORD }, { cookie: first });
    expect(second.statusCode).toBe(200);
    expect((await get('/v1/me', { cookie: first })).statusCode).toBe(401);
    expect(await logins()).toHaveLength(1);
  });
});

describe('a login', () => {
  it('ends at logout, and the cookie with it', async () => {
    await member('anna');
    const cookie = await signIn('anna');
    const answer = await post('/v1/logout', {}, { cookie });
    expect(answer.statusCode).toBe(204);
    expect(answer.headers['set-cookie']).toMatch(/^convoke_login=; .*Expires=Thu, 01 Jan 1970/);
    expect((await get('/v1/me', { cookie })).json()).toMatchObject({ status: 401, code: 'unauthenticated' });
    expect((await post('/v1/logout', {}, { cookie })).statusCode).toBe(204);
  });

  it('ends by itself', async () => {
    await member('anna');
    const cookie = await signIn('anna');
    await kernel.database.inEngine('test.age', tx =>
      tx
        .updateTable('logins')
        .set({ expires_at: new Date(kernel.clock.now().getTime() - 1) })
        .execute(),
    );
    expect((await get('/v1/me', { cookie })).statusCode).toBe(401);
  });

  it('is seen, but not written at every request', async () => {
    await member('anna');
    const cookie = await signIn('anna');
    const before = (await logins())[0]?.seen_at;
    await get('/v1/me', { cookie });
    expect((await logins())[0]?.seen_at).toEqual(before);
    const old = new Date(kernel.clock.now().getTime() - 61_000);
    await kernel.database.inEngine('test.age', tx =>
      tx.updateTable('logins').set({ seen_at: old }).execute(),
    );
    await get('/v1/where', { cookie });
    expect((await logins())[0]?.seen_at.getTime()).toBeGreaterThan(old.getTime());
  });

  it.each(['', 'convoke_login=', 'convoke_login=x', 'other=1', 'convoke_login="; drop table users"'])(
    'with the cookie %j is none',
    async cookie => {
      expect((await get('/v1/me', { cookie })).statusCode).toBe(401);
      expect((await get('/v1/where', { cookie })).statusCode).toBe(401);
    },
  );

  it('does not change anything for a page of another site', async () => {
    await member('anna');
    const cookie = await signIn('anna');
    expect((await post('/v1/where', {}, { cookie })).statusCode).toBe(204);
    for (const headers of [{ origin: 'https://evil.example' }, { origin: 'null' }]) {
      expect((await post('/v1/where', {}, { cookie, ...headers })).json()).toMatchObject({
        code: 'foreign_origin',
      });
    }
    const bare = await http.app.inject({ method: 'POST', url: '/v1/where', headers: { cookie } });
    expect(bare.statusCode).toBe(204);
  });
});

describe('the workspace of a request', () => {
  it('is the only one there is', async () => {
    const userId = await member('anna');
    const cookie = await signIn('anna');
    expect((await get('/v1/where', { cookie })).json()).toEqual({
      workspace_id: workspaceId,
      actor: { kind: 'user', id: userId },
      address: '127.0.0.1',
      may_manage: true,
    });
  });

  it('must be named among several, by id or short name, in header or query', async () => {
    const userId = await member('anna');
    const other = await createWorkspace(kernel, { slug: 'other', name: 'Another' });
    await addMember(kernel, { workspaceId: other, userId, role: 'viewer' });
    const cookie = await signIn('anna');
    const unnamed = await get('/v1/where', { cookie });
    expect(unnamed.json()).toMatchObject({
      status: 400,
      code: 'workspace_required',
      workspaces: [
        { id: other, slug: 'other', name: 'Another' },
        { id: workspaceId, slug: 'demo', name: 'Demo' },
      ],
    });
    const where = async (url: string, headers: Record<string, string> = {}) =>
      (await get(url, { cookie, ...headers })).json().workspace_id;
    expect(await where('/v1/where', { 'convoke-workspace': 'other' })).toBe(other);
    expect(await where('/v1/where', { 'convoke-workspace': workspaceId })).toBe(workspaceId);
    expect(await where('/v1/where?workspace=other')).toBe(other);
    expect(await where(`/v1/where?workspace=${workspaceId.toUpperCase()}`)).toBe(workspaceId);
    expect((await get('/v1/where?workspace=a&workspace=b', { cookie })).statusCode).toBe(422);
    // The role counts in its own workspace only.
    expect((await post('/v1/where?workspace=demo', {}, { cookie })).statusCode).toBe(204);
    expect((await post('/v1/where?workspace=other', {}, { cookie })).json()).toMatchObject({
      status: 403,
      code: 'forbidden',
    });
  });

  it('of others looks like one that does not exist', async () => {
    await member('anna');
    const foreign = await createWorkspace(kernel, { slug: 'foreign', name: 'Foreign' });
    const cookie = await signIn('anna');
    const answers = await Promise.all(
      [foreign, 'foreign', newId(), 'nothing', '%'].map(name =>
        get('/v1/where', { cookie, 'convoke-workspace': name }),
      ),
    );
    for (const answer of answers) {
      expect(answer.statusCode).toBe(404);
      expect(withoutRequestId(answer.body)).toEqual(withoutRequestId(answers[0]?.body ?? ''));
    }
  });

  it('is closed from the moment a membership ends', async () => {
    const userId = await member('anna');
    const cookie = await signIn('anna');
    await kernel.database.inEngine('test.leave', tx =>
      tx.deleteFrom('members').where('user_id', '=', userId).execute(),
    );
    expect((await get('/v1/where', { cookie })).json()).toMatchObject({ status: 403, code: 'forbidden' });
    expect((await get('/v1/where', { cookie, 'convoke-workspace': workspaceId })).statusCode).toBe(404);
  });
});

describe('the first start', () => {
  beforeEach(() =>
    kernel.database.inEngine('test.clear', async tx => {
      await tx.deleteFrom('workspaces').execute();
    }),
  );

  it('makes an owner without a password, and a link that works once', async () => {
    const first = await prepareFirstStart(kernel);
    expect(first).toMatchObject({ username: 'admin', token: expect.stringMatching(/^[A-Za-z0-9_-]{43}$/) });
    const token = first?.token ?? '';
    expect((await post('/v1/setup', { token, password: 'short' })).json()).toMatchObject({
      status: 422,
      errors: [{ path: 'password' }],
    });
    const done = await post('/v1/setup', { token, password: PASSWORD });
    expect(done.json()).toMatchObject({
      user: { username: 'admin' },
      workspaces: [{ slug: 'main', role: 'owner' }],
    });
    const cookie = loginCookieIn(done);
    expect((await get('/v1/me', { cookie })).statusCode).toBe(200);
    expect((await post('/v1/setup', { token, password: PASSWORD })).json()).toMatchObject({
      status: 422,
      errors: [{ path: 'token' }],
    });
    expect(await signIn('admin')).toContain('convoke_login=');
    expect(await prepareFirstStart(kernel)).toBeUndefined();
  });

  it('repeated before that gives another link to the same owner', async () => {
    const [one, two] = [await prepareFirstStart(kernel), await prepareFirstStart(kernel)];
    expect(one?.token).not.toBe(two?.token);
    expect((await post('/v1/setup', { token: two?.token, password: PASSWORD })).statusCode).toBe(200);
    expect((await post('/v1/setup', { token: one?.token, password: PASSWORD })).statusCode).toBe(422);
  });

  it('on several nodes at once makes one owner', async () => {
    const all = await Promise.all(Array.from({ length: 4 }, () => prepareFirstStart(kernel)));
    expect(all.every(first => first?.username === 'admin')).toBe(true);
    const users = await kernel.database.inEngine('test.users', tx =>
      tx.selectFrom('users').select('id').execute(),
    );
    expect(users).toHaveLength(1);
  });

  it('gives links that end after a day, and works once when two follow it at the same time', async () => {
    const first = await prepareFirstStart(kernel);
    const both = await Promise.all(
      [1, 2].map(() => post('/v1/setup', { token: first?.token, password: PASSWORD })),
    );
    expect(both.map(answer => answer.statusCode).sort((a, b) => a - b)).toEqual([200, 422]);
    await kernel.database.inEngine('test.unset', tx =>
      tx.updateTable('users').set({ password_hash: null }).execute(),
    );
    const late = await prepareFirstStart(kernel);
    await kernel.database.inEngine('test.age', tx =>
      tx
        .updateTable('user_links')
        .set({ expires_at: new Date(kernel.clock.now().getTime() - 1) })
        .execute(),
    );
    expect((await post('/v1/setup', { token: late?.token, password: PASSWORD })).statusCode).toBe(422);
  });
});

describe('the commands of the operator', () => {
  const commands = createCommands();
  beforeAll(() => registerIdentityCommands(commands, kernel));

  it('set a password and end all logins', async () => {
    await member('anna');
    const cookie = await signIn('anna');
    expect(
      await commands.run('set-password', { username: 'Anna', password: 'another good password' }),
    ).toContain('new password');
    expect((await get('/v1/me', { cookie })).statusCode).toBe(401);
    expect((await post('/v1/login', { username: 'anna', password: PASSWORD })).statusCode).toBe(401);
    expect(await signIn('anna', 'another good password')).toContain('convoke_login=');
  });

  it('create users of the only workspace, or of the one that is named', async () => {
    await commands.run('create-user', { username: 'bob', password: PASSWORD, role: 'viewer' });
    expect((await get('/v1/where', { cookie: await signIn('bob') })).json().workspace_id).toBe(workspaceId);
    await createWorkspace(kernel, { slug: 'other', name: 'Other' });
    await expect(commands.run('create-user', { username: 'cara', password: PASSWORD })).rejects.toThrow(
      '--workspace',
    );
    await expect(
      commands.run('create-user', { username: 'cara', password: PASSWORD, workspace: 'nope' }),
    ).rejects.toThrow('demo, other');
    await commands.run('create-user', { username: 'cara', password: PASSWORD, workspace: 'other' });
  });

  it.each([
    ['set-password', { username: 'nobody', password: PASSWORD }, 'There is no user "nobody"'],
    ['set-password', { username: 'anna', password: 'short' }, 'at least 10 characters'],
    ['create-user', { username: 'a b', password: PASSWORD }, 'letters, digits'],
    ['create-user', { username: 'bob', password: PASSWORD, role: 'king' }, 'role'],
    ['make-coffee', {}, 'does not know the command'],
  ])('%s %j is refused', async (name, input, words) => {
    await expect(commands.run(name, input)).rejects.toThrow(words);
  });

  it('leave nothing behind when the name is taken', async () => {
    await member('anna');
    await expect(commands.run('create-user', { username: 'ANNA', password: PASSWORD })).rejects.toThrow(
      'There is a user "ANNA" already',
    );
    const members = await kernel.database.inEngine('test.members', tx =>
      tx.selectFrom('members').select('user_id').execute(),
    );
    expect(members).toHaveLength(1);
  });
});
