import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { cookiesOf, type IdentityHouse, identityHouse, PASSWORD } from '../../../test/harness/identity.ts';
import { until } from '../../../test/harness/until.ts';
import { INSTANCE, mintScope, registerLiveRoute } from '../../kernel/index.ts';
import { changeRole, removeMember } from '../workspaces/members.ts';
import { endEverything, purgeLogins } from './logins.ts';

const DAY_MS = 86_400_000;
const MINUTE_MS = 60_000;

let house: IdentityHouse;
let url: string;

beforeAll(async () => {
  house = await identityHouse();
  registerLiveRoute(house.http);
  url = await house.http.listen();
});
afterAll(() => house.close());
beforeEach(() => house.clear());

const signIn = (headers: Record<string, string> = {}) =>
  house.post('/v1/login', { username: 'anna', password: PASSWORD }, headers);

const cookieIn = async (headers: Record<string, string> = {}) =>
  cookiesOf(await signIn(headers), 'convoke_login');

type Tokens = { access_token: string; refresh_token: string; access_expires_at: string };

const clientIn = async (): Promise<Tokens> => {
  const answer = await house.post('/v1/login', { username: 'anna', password: PASSWORD, kind: 'client' });
  expect(answer.statusCode).toBe(201);
  return answer.json();
};

const refresh = (token: string) => house.post('/v1/login/refresh', { refresh_token: token });

const me = async (headers: Record<string, string>) => (await house.get('/v1/me', headers)).statusCode;
const byAccess = (token: string) => me({ authorization: `Bearer ${token}` });

const loginRows = () =>
  house.kernel.database.inEngine('test.logins', tx => tx.selectFrom('logins').selectAll().execute());

describe('the login of a browser', () => {
  it('ends when it was not used for two weeks, and not before', async () => {
    await house.member('anna');
    const cookie = await cookieIn();
    house.pass(13 * DAY_MS);
    expect(await me({ cookie })).toBe(200);
    house.pass(13 * DAY_MS);
    expect(await me({ cookie })).toBe(200);
    house.pass(14 * DAY_MS + 1);
    expect(await me({ cookie })).toBe(401);
  });

  it('ends after 90 days however often it is used', async () => {
    await house.member('anna');
    const cookie = await cookieIn();
    for (let day = 10; day < 90; day += 10) {
      house.pass(10 * DAY_MS);
      expect(await me({ cookie })).toBe(200);
    }
    house.pass(10 * DAY_MS);
    expect(await me({ cookie })).toBe(401);
    await house.kernel.database.inEngine('test.purge', tx => purgeLogins(tx, house.kernel.clock.now()));
    expect(await loginRows()).toEqual([]);
  });

  it('ends when its user is locked', async () => {
    await house.member('anna');
    const cookie = await cookieIn();
    await house.kernel.database.inEngine('test.lock', tx =>
      tx.updateTable('users').set({ locked_at: new Date() }).execute(),
    );
    expect(await me({ cookie })).toBe(401);
    expect((await signIn()).statusCode).toBe(401);
  });

  it('ends with its own end and with the epoch of its user, whatever its token says', async () => {
    const userId = await house.member('anna');
    const ended = await cookieIn();
    await house.kernel.database.inEngine('test.end', tx =>
      tx.updateTable('logins').set({ expires_at: new Date() }).execute(),
    );
    expect(await me({ cookie: ended })).toBe(401);
    const cookie = await cookieIn();
    expect(await me({ cookie })).toBe(200);
    await house.kernel.database.inEngine('test.epoch', tx =>
      tx
        .updateTable('users')
        .set(user => ({ epoch: user('epoch', '+', 1) }))
        .where('id', '=', userId)
        .execute(),
    );
    expect(await me({ cookie })).toBe(401);
  });

  it('is one of another host on TLS only by breaking the browser', async () => {
    const tls = await identityHouse({ CONVOKE_PUBLIC_URL: 'https://convoke.example.org' });
    try {
      await tls.clear();
      await tls.member('anna');
      const answer = await tls.post('/v1/login', { username: 'anna', password: PASSWORD });
      const set = answer.headers['set-cookie'] as unknown as string[];
      expect(set[0]).toMatch(
        /^__Host-convoke_login=[A-Za-z0-9_-]{43}; Path=\/; Expires=[^;]+; HttpOnly; Secure; SameSite=Lax$/,
      );
      expect(set[1]).toMatch(
        /^__Host-convoke_device=[A-Za-z0-9_-]{43}; Path=\/; .*HttpOnly; Secure; SameSite=Lax$/,
      );
      const cookie = cookiesOf(answer, 'login');
      expect((await tls.get('/v1/me', { cookie })).statusCode).toBe(200);
      expect((await tls.get('/v1/me', { cookie: cookie.replace('__Host-', '') })).statusCode).toBe(401);
    } finally {
      await tls.close();
    }
  });
});

describe('where one is signed in', () => {
  it('is listed with device, place and time, and which one asks', async () => {
    await house.member('anna');
    const firefox = 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0';
    const cookie = await cookieIn({ 'user-agent': firefox });
    house.pass(2 * MINUTE_MS);
    await clientIn();
    const list = await house.get('/v1/me/logins', { cookie });
    expect(list.json().data).toEqual([
      expect.objectContaining({
        kind: 'browser',
        device: 'Firefox on Linux',
        address: '127.0.0.1',
        current: true,
      }),
      expect.objectContaining({ kind: 'client', current: false }),
    ]);
  });

  it('can be ended one by one, but only by the same user', async () => {
    await house.member('anna');
    await house.member('bob');
    const [mine, other] = [await cookieIn(), await cookieIn()];
    const bob = cookiesOf(
      await house.post('/v1/login', { username: 'bob', password: PASSWORD }),
      'convoke_login',
    );
    const list = (await house.get('/v1/me/logins', { cookie: mine })).json().data as {
      id: string;
      current: boolean;
    }[];
    const { id = '' } = list.find(one => !one.current) ?? {};
    expect(list).toHaveLength(2);
    expect((await house.send('DELETE', `/v1/me/logins/${id}`, undefined, { cookie: bob })).statusCode).toBe(
      404,
    );
    expect(await me({ cookie: other })).toBe(200);
    expect((await house.send('DELETE', `/v1/me/logins/${id}`, undefined, { cookie: mine })).statusCode).toBe(
      204,
    );
    expect([await me({ cookie: other }), await me({ cookie: mine })]).toEqual([401, 200]);
    expect((await house.send('DELETE', `/v1/me/logins/${id}`, undefined, { cookie: mine })).statusCode).toBe(
      404,
    );
  });

  it('ends everywhere at once, this one too or all others', async () => {
    await house.member('anna');
    const [one, two, tokens] = [await cookieIn(), await cookieIn(), await clientIn()];
    expect(
      (await house.send('DELETE', '/v1/me/logins?keep_this=true', undefined, { cookie: one })).statusCode,
    ).toBe(204);
    expect([
      await me({ cookie: one }),
      await me({ cookie: two }),
      await byAccess(tokens.access_token),
    ]).toEqual([200, 401, 401]);
    expect((await refresh(tokens.refresh_token)).statusCode).toBe(401);
    const all = await house.send('DELETE', '/v1/me/logins', undefined, { cookie: one });
    expect(all.headers['set-cookie']).toContain('Expires=Thu, 01 Jan 1970');
    expect(await me({ cookie: one })).toBe(401);
    expect(await me({ cookie: await cookieIn() })).toBe(200);
  });
});

describe('a client', () => {
  it('acts by its access token for a quarter of an hour, and gets no cookie', async () => {
    await house.member('anna');
    const answer = await house.post('/v1/login', { username: 'anna', password: PASSWORD, kind: 'client' });
    expect(answer.headers['set-cookie']).toBeUndefined();
    const { access_token: access } = answer.json() as Tokens;
    expect(await byAccess(access)).toBe(200);
    expect(await me({ cookie: `convoke_login=${access}` })).toBe(401);
    house.pass(15 * MINUTE_MS + 1);
    expect(await byAccess(access)).toBe(401);
  });

  it.each(['Bearer', 'Bearer x', 'Basic YTpi', 'Bearer a b'])(
    'with %j is nobody, whatever its cookie',
    async given => {
      await house.member('anna');
      expect(await me({ authorization: given, cookie: await cookieIn() })).toBe(401);
    },
  );

  it('signs out with its access token', async () => {
    await house.member('anna');
    const { access_token, refresh_token } = await clientIn();
    expect((await house.post('/v1/logout', {}, { authorization: `Bearer ${access_token}` })).statusCode).toBe(
      204,
    );
    expect((await refresh(refresh_token)).statusCode).toBe(401);
  });

  it('gets new tokens for its refresh token until the login ends', async () => {
    await house.member('anna');
    let tokens = await clientIn();
    for (let day = 0; day < 80; day += 20) {
      house.pass(20 * DAY_MS);
      const answer = await refresh(tokens.refresh_token);
      expect(answer.statusCode).toBe(200);
      expect(answer.json().refresh_token).not.toBe(tokens.refresh_token);
      tokens = answer.json();
      expect(await byAccess(tokens.access_token)).toBe(200);
    }
    house.pass(10 * DAY_MS + 1);
    expect((await refresh(tokens.refresh_token)).statusCode).toBe(401);
  });

  it('cannot use a refresh token for anything else, or the other way round', async () => {
    await house.member('anna');
    const tokens = await clientIn();
    expect(await byAccess(tokens.refresh_token)).toBe(401);
    expect((await refresh(tokens.access_token)).statusCode).toBe(401);
    expect((await refresh((await cookieIn()).split('=')[1] ?? '')).statusCode).toBe(401);
    expect((await refresh(tokens.refresh_token)).statusCode).toBe(200);
  });
});

describe('a refresh token that is shown again', () => {
  it('later ends the whole login, and that is a fact', async () => {
    await house.member('anna');
    const stolen = await clientIn();
    const mine = (await refresh(stolen.refresh_token)).json() as Tokens;
    house.pass(10_001);
    expect(await byAccess(mine.access_token)).toBe(200);
    const replay = await refresh(stolen.refresh_token);
    expect(replay.statusCode).toBe(401);
    expect((await refresh('x'.repeat(43))).json().detail).toBe(replay.json().detail);
    expect(await byAccess(mine.access_token)).toBe(401);
    expect((await refresh(mine.refresh_token)).statusCode).toBe(401);
    const facts = await house.kernel.database.inEngine('test.facts', tx =>
      tx.selectFrom('activity').select('type').where('workspace_id', '=', INSTANCE).execute(),
    );
    expect(facts.map(({ type }) => type)).toContain('identity.refresh_token_replayed');
  });

  it('at once gets the same successor, so that it does not matter which answer is kept', async () => {
    await house.member('anna');
    const first = await clientIn();
    const [one, two] = (await Promise.all([refresh(first.refresh_token), refresh(first.refresh_token)])).map(
      answer => answer.json() as Tokens,
    );
    expect(one?.refresh_token).toBe(two?.refresh_token);
    expect([await byAccess(one?.access_token ?? ''), await byAccess(two?.access_token ?? '')]).toEqual([
      200, 200,
    ]);
    expect((await refresh(one?.refresh_token ?? '')).statusCode).toBe(200);
  });

  it('at once, but after its successor was used, ends the login', async () => {
    await house.member('anna');
    const first = await clientIn();
    const second = (await refresh(first.refresh_token)).json() as Tokens;
    expect((await refresh(second.refresh_token)).statusCode).toBe(200);
    expect((await refresh(first.refresh_token)).statusCode).toBe(401);
    expect(await loginRows()).toEqual([]);
  });

  it('by many at the same time has one successor', async () => {
    await house.member('anna');
    const first = await clientIn();
    const answers = await Promise.all(Array.from({ length: 8 }, () => refresh(first.refresh_token)));
    expect(answers.map(answer => answer.statusCode)).toEqual(Array(8).fill(200));
    expect(new Set(answers.map(answer => answer.json().refresh_token)).size).toBe(1);
    const rows = await house.kernel.database.inEngine('test.tokens', tx =>
      tx.selectFrom('login_tokens').select('used_at').where('kind', '=', 'refresh').execute(),
    );
    expect(rows.map(row => row.used_at === null).sort()).toEqual([false, true]);
  });
});

/** The beginning of a stream; `end` resolves when the server has ended it. */
async function listen(path: string, headers: Record<string, string> = {}) {
  const answer = await fetch(`${url}${path}`, { headers });
  const end = answer.text().catch(() => '');
  return { status: answer.status, end };
}

async function expectEnd(end: Promise<string>): Promise<void> {
  let over = false;
  void end.then(() => {
    over = true;
  });
  await until(() => over, { within: 5_000, what: () => 'the end of the stream' });
  expect(over).toBe(true);
}

describe('a stream', () => {
  it('opens by a pass, once and soon, and by nothing else in the address', async () => {
    await house.member('anna');
    const { access_token } = await clientIn();
    const authorization = `Bearer ${access_token}`;
    const draw = async () =>
      (await house.post('/v1/me/stream-passes', {}, { authorization })).json().pass as string;
    const pass = await draw();
    expect(await me({ authorization: `Bearer ${pass}` })).toBe(401);
    expect((await house.get(`/v1/me?pass=${pass}`)).statusCode).toBe(401);
    expect((await listen(`/v1/live?pass=${access_token}`)).status).toBe(401);
    const opened = await listen(`/v1/live?pass=${pass}`);
    expect(opened.status).toBe(200);
    expect((await listen(`/v1/live?pass=${pass}`)).status).toBe(401);
    const late = await draw();
    house.pass(30_001);
    expect((await listen(`/v1/live?pass=${late}`)).status).toBe(401);
    await house.post('/v1/logout', {}, { authorization });
    await expectEnd(opened.end);
  });

  it('by a pass opens for one of many who show it at once', async () => {
    await house.member('anna');
    const { access_token } = await clientIn();
    const answer = await house.post('/v1/me/stream-passes', {}, { authorization: `Bearer ${access_token}` });
    const opened = await Promise.all(
      Array.from({ length: 5 }, () => listen(`/v1/live?pass=${answer.json().pass}`)),
    );
    expect(opened.map(one => one.status).sort()).toEqual([200, 401, 401, 401, 401]);
    await house.send('DELETE', '/v1/me/logins', undefined, { authorization: `Bearer ${access_token}` });
    await Promise.all(opened.map(one => expectEnd(one.end)));
  });

  it('ends with its login, and those of others go on', async () => {
    await house.member('anna');
    await house.member('bob');
    const cookie = await cookieIn();
    const bob = cookiesOf(
      await house.post('/v1/login', { username: 'bob', password: PASSWORD }),
      'convoke_login',
    );
    const [mine, his] = [await listen('/v1/live', { cookie }), await listen('/v1/live', { cookie: bob })];
    await house.post('/v1/logout', {}, { cookie });
    await expectEnd(mine.end);
    const first = await Promise.race([his.end.then(() => 'over'), Promise.resolve('open')]);
    expect(first).toBe('open');
    await house.post('/v1/logout', {}, { cookie: bob });
    await expectEnd(his.end);
  });

  it('ends when its listener is no longer a member, or may no longer see what it tells', async () => {
    const scope = mintScope(house.kernel, house.workspaceId(), {
      kind: 'user',
      id: await house.member('anna'),
    });
    const listening = async (name: string) => {
      const userId = await house.member(name, 'agent');
      const cookie = cookiesOf(
        await house.post('/v1/login', { username: name, password: PASSWORD }),
        'convoke_login',
      );
      return { userId, end: (await listen('/v1/live', { cookie })).end };
    };
    const [bob, cara] = [await listening('bob'), await listening('cara')];
    await removeMember(scope, bob.userId);
    await expectEnd(bob.end);
    await changeRole(scope, cara.userId, 'door_staff');
    await expectEnd(cara.end);
  });

  it('ends for everybody by the kill switch, which no token outlives', async () => {
    await house.member('anna');
    const [cookie, tokens] = [await cookieIn(), await clientIn()];
    const stream = await listen('/v1/live', { cookie });
    expect(stream.status).toBe(200);
    await house.kernel.database.inEngine('test.kill', endEverything);
    await expectEnd(stream.end);
    expect([await me({ cookie }), await byAccess(tokens.access_token)]).toEqual([401, 401]);
    expect((await refresh(tokens.refresh_token)).statusCode).toBe(401);
    expect(await me({ cookie: await cookieIn() })).toBe(200);
  });
});
