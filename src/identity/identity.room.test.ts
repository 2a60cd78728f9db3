import { describe, expect, it } from 'vitest';
import { cookiesIn, doorHouse, PASSWORD } from '../../test/harness/doors.ts';
import { newId } from '../kernel/index.ts';
import { tokenHash } from './logins/tokens.ts';
import { createUser } from './users.ts';
import { addMember, createWorkspace } from './workspaces/workspaces.ts';

const house = doorHouse();
const { post, get, member, signIn, logins } = house;

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
          id: house.workspaceId,
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
    const stored = await house.kernel.database.inEngine('test.tokens', tx =>
      tx.selectFrom('login_tokens').selectAll().execute(),
    );
    expect(stored.map(row => row.token_hash)).toEqual([tokenHash(token)]);
    expect(JSON.stringify([stored, await logins()])).not.toContain(token);
  });

  it('answers an unknown name, a wrong password and a user without one alike', async () => {
    await member('anna');
    await createUser(house.kernel, { username: 'unset' });
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
    await house.kernel.database.inEngine('test.age', tx =>
      tx
        .updateTable('logins')
        .set({ expires_at: new Date(house.kernel.clock.now().getTime() - 1) })
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
    const old = new Date(house.kernel.clock.now().getTime() - 61_000);
    await house.kernel.database.inEngine('test.age', tx =>
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
    const bare = await house.http.app.inject({ method: 'POST', url: '/v1/where', headers: { cookie } });
    expect(bare.statusCode).toBe(204);
  });
});

describe('the workspace of a request', () => {
  it('is the only one there is', async () => {
    const userId = await member('anna');
    const cookie = await signIn('anna');
    expect((await get('/v1/where', { cookie })).json()).toEqual({
      workspace_id: house.workspaceId,
      actor: { kind: 'user', id: userId },
      address: '127.0.0.1',
      may_manage: true,
    });
  });

  it('must be named among several, by id or short name, in header or query', async () => {
    const userId = await member('anna');
    const other = await createWorkspace(house.kernel, { slug: 'other', name: 'Another' });
    await addMember(house.kernel, { workspaceId: other, userId, role: 'viewer' });
    const cookie = await signIn('anna');
    const unnamed = await get('/v1/where', { cookie });
    expect(unnamed.json()).toMatchObject({
      status: 400,
      code: 'workspace_required',
      workspaces: [
        { id: other, slug: 'other', name: 'Another' },
        { id: house.workspaceId, slug: 'demo', name: 'Demo' },
      ],
    });
    const where = async (url: string, headers: Record<string, string> = {}) =>
      (await get(url, { cookie, ...headers })).json().workspace_id;
    expect(await where('/v1/where', { 'convoke-workspace': 'other' })).toBe(other);
    expect(await where('/v1/where', { 'convoke-workspace': house.workspaceId })).toBe(house.workspaceId);
    expect(await where('/v1/where?workspace=other')).toBe(other);
    expect(await where(`/v1/where?workspace=${house.workspaceId.toUpperCase()}`)).toBe(house.workspaceId);
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
    const foreign = await createWorkspace(house.kernel, { slug: 'foreign', name: 'Foreign' });
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
    await house.kernel.database.inEngine('test.leave', tx =>
      tx.deleteFrom('members').where('user_id', '=', userId).execute(),
    );
    expect((await get('/v1/where', { cookie })).json()).toMatchObject({ status: 403, code: 'forbidden' });
    expect((await get('/v1/where', { cookie, 'convoke-workspace': house.workspaceId })).statusCode).toBe(404);
  });
});
