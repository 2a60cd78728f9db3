import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import {
  appCode,
  cookiesOf,
  type IdentityHouse,
  identityHouse,
  PASSWORD,
} from '../../../test/harness/identity.ts';

const MINUTE_MS = 60_000;
const HALF_MINUTE_MS = 30_000;

let house: IdentityHouse;

beforeAll(async () => {
  house = await identityHouse();
  await house.http.app.ready();
});
afterAll(() => house.close());
beforeEach(() => house.clear());

type Answer = Awaited<ReturnType<IdentityHouse['post']>>;

const tryIn = (username: string, password = PASSWORD, headers: Record<string, string> = {}) =>
  house.post('/v1/login', { username, password }, headers);

const statuses = (answers: Answer[]) => answers.map(answer => answer.statusCode);

/** A user with an authenticator app, signed in. */
async function withApp(username = 'anna') {
  await house.member(username);
  const cookie = cookiesOf(await tryIn(username), 'convoke_login');
  const setup = await house.post('/v1/me/second-factor', { password: PASSWORD }, { cookie });
  expect(setup.statusCode).toBe(200);
  const { secret } = setup.json() as { secret: string };
  const code = (steps = 0) =>
    appCode(secret, new Date(house.kernel.clock.now().getTime() + steps * HALF_MINUTE_MS));
  const confirmed = await house.post('/v1/me/second-factor/confirm', { code: code() }, { cookie });
  expect(confirmed.statusCode).toBe(200);
  house.pass(HALF_MINUTE_MS);
  return {
    code,
    secret,
    before: cookie,
    cookie: cookiesOf(confirmed, 'convoke_login'),
    recovery: confirmed.json().recovery_codes as string[],
  };
}

async function challenge(username = 'anna', kind = 'browser'): Promise<string> {
  await house.forgetLimits();
  const answer = await house.post('/v1/login', { username, password: PASSWORD, kind });
  expect(answer.statusCode).toBe(202);
  expect(answer.headers['set-cookie']).toBeUndefined();
  return answer.json().challenge;
}

const answerWith = (given: string, code: string) =>
  house.post('/v1/login/second-factor', { challenge: given, code });

const wrong = (code: string) => code.replace(/^./, digit => String((Number(digit) + 5) % 10));

describe('a second factor', () => {
  it('is asked for after the password, and its code opens the login', async () => {
    const { code } = await withApp();
    const answer = await answerWith(await challenge(), code());
    expect(answer.statusCode).toBe(200);
    expect((await house.get('/v1/me', { cookie: cookiesOf(answer, 'convoke_login') })).statusCode).toBe(200);
  });

  it('is asked of a client too', async () => {
    const { code } = await withApp();
    const answer = await answerWith(await challenge('anna', 'client'), code());
    expect(answer.statusCode).toBe(201);
    expect(answer.json()).toMatchObject({ access_token: expect.any(String) });
  });

  it('gives the browser another token when it is set up, and counts only once confirmed', async () => {
    const { before, cookie } = await withApp();
    expect((await house.get('/v1/me', { cookie: before })).statusCode).toBe(401);
    expect((await house.get('/v1/me/second-factor', { cookie })).json()).toEqual({
      enabled: true,
      recovery_codes_left: 10,
    });
    await house.member('bob');
    const bob = cookiesOf(await tryIn('bob'), 'convoke_login');
    await house.post('/v1/me/second-factor', { password: PASSWORD }, { cookie: bob });
    expect((await tryIn('bob')).statusCode).toBe(200);
  });

  it('takes a code of a clock that is half a minute off, and none further away', async () => {
    const { code } = await withApp();
    house.pass(10 * HALF_MINUTE_MS);
    const given = await challenge();
    expect((await answerWith(given, code(-2))).statusCode).toBe(401);
    expect((await answerWith(given, code(2))).statusCode).toBe(401);
    expect((await answerWith(given, code(-1))).statusCode).toBe(200);
    expect((await answerWith(await challenge(), code(1))).statusCode).toBe(200);
  });

  it.each(['éééééé', '１２３４５６', '000000\u200b'])('is not set up with %j', async code => {
    await house.member('bob');
    const cookie = cookiesOf(await tryIn('bob'), 'convoke_login');
    await house.post('/v1/me/second-factor', { password: PASSWORD }, { cookie });
    const answer = await house.post('/v1/me/second-factor/confirm', { code }, { cookie });
    expect(answer.statusCode).toBe(403);
  });

  it('takes each code once, also of two who show it at the same time', async () => {
    const { code } = await withApp();
    const [one, two] = [await challenge(), await challenge()];
    const both = await Promise.all([answerWith(one, code()), answerWith(two, code())]);
    expect(statuses(both).sort()).toEqual([200, 401]);
    expect((await answerWith(await challenge(), code())).statusCode).toBe(401);
    house.pass(HALF_MINUTE_MS);
    expect((await answerWith(await challenge(), code())).statusCode).toBe(200);
  });

  it('answers each question once', async () => {
    const { code, recovery } = await withApp();
    const given = await challenge();
    const both = await Promise.all([
      answerWith(given, recovery[0] ?? ''),
      answerWith(given, recovery[1] ?? ''),
    ]);
    expect(statuses(both).sort()).toEqual([200, 401]);
    expect((await answerWith(given, code())).statusCode).toBe(401);
  });

  it('has five minutes, and five tries', async () => {
    const { code } = await withApp();
    const late = await challenge();
    house.pass(5 * MINUTE_MS + 1);
    expect((await answerWith(late, code())).statusCode).toBe(401);
    const given = await challenge();
    const tries = [];
    for (let i = 0; i < 4; i++) tries.push(await answerWith(given, wrong(code())));
    expect(statuses(tries)).toEqual([401, 401, 401, 401]);
    // The late one was no try, so this is the fifth: from now on the codes of this user are locked, in other questions too.
    expect((await answerWith(given, wrong(code()))).statusCode).toBe(401);
    expect((await answerWith(await challenge(), code())).statusCode).toBe(429);
    house.pass(15 * MINUTE_MS);
    expect((await answerWith(await challenge(), code())).statusCode).toBe(200);
  });

  it('takes five codes for one question, even where nothing else counts them', async () => {
    const { code } = await withApp();
    const given = await challenge();
    for (let i = 0; i < 5; i++) {
      expect((await answerWith(given, wrong(code()))).statusCode).toBe(401);
      await house.kernel.database.inEngine('test.forget', tx => tx.deleteFrom('login_failures').execute());
    }
    expect((await answerWith(given, code())).statusCode).toBe(401);
    expect((await answerWith(await challenge(), code())).statusCode).toBe(200);
  });

  it('does not open for somebody who knows no password', async () => {
    const { code } = await withApp();
    expect((await answerWith('x'.repeat(43), code())).statusCode).toBe(401);
  });

  it('is stored sealed, for its user only', async () => {
    const { secret } = await withApp();
    const rows = await house.kernel.database.inEngine('test.secret', tx =>
      tx.selectFrom('second_factors').selectAll().execute(),
    );
    const stored = rows[0]?.secret ?? Buffer.alloc(0);
    expect(stored.length).toBeGreaterThan(20);
    expect(stored.toString('latin1')).not.toContain(secret);
    await house.member('bob');
    const { code } = await withApp('cara');
    await house.kernel.database.inEngine('test.swap', tx =>
      tx.updateTable('second_factors').set({ secret: stored }).execute(),
    );
    expect((await answerWith(await challenge('cara'), code())).statusCode).toBe(500);
  });

  it('can be taken away with password and code, and by neither alone', async () => {
    const { code, cookie } = await withApp();
    const remove = (password: string, given: string) =>
      house.send('DELETE', '/v1/me/second-factor', { password, code: given }, { cookie });
    expect((await remove('wrong horse battery', code())).statusCode).toBe(403);
    expect((await remove(PASSWORD, wrong(code()))).statusCode).toBe(403);
    const removed = await remove(PASSWORD, code());
    expect(removed.statusCode).toBe(204);
    expect((await house.get('/v1/me', { cookie })).statusCode).toBe(401);
    expect((await house.get('/v1/me', { cookie: cookiesOf(removed, 'convoke_login') })).statusCode).toBe(200);
    expect((await tryIn('anna')).statusCode).toBe(200);
  });

  it('cannot be replaced without being taken away, nor set up without the password', async () => {
    const { cookie } = await withApp();
    expect((await house.post('/v1/me/second-factor', { password: PASSWORD }, { cookie })).json().code).toBe(
      'illegal_state',
    );
    await house.member('bob');
    const bob = cookiesOf(await tryIn('bob'), 'convoke_login');
    expect(
      (await house.post('/v1/me/second-factor', { password: 'wrong' }, { cookie: bob })).statusCode,
    ).toBe(403);
  });
});

describe('proving the password', () => {
  it('has five tries, whoever sits at the open browser', async () => {
    await house.member('anna');
    const cookie = cookiesOf(await tryIn('anna'), 'convoke_login');
    const prove = (password: string) => house.post('/v1/me/second-factor', { password }, { cookie });
    const tries = await Promise.all(Array.from({ length: 7 }, () => prove('wrong horse battery')));
    expect(statuses(tries).sort()).toEqual([403, 403, 403, 403, 403, 429, 429]);
    expect((await prove(PASSWORD)).statusCode).toBe(429);
  });
});

describe('a recovery code', () => {
  it('opens once in place of the app, however it is typed', async () => {
    const { recovery, cookie } = await withApp();
    const [first = '', second = ''] = recovery;
    expect(recovery).toHaveLength(10);
    expect(new Set(recovery).size).toBe(10);
    expect((await answerWith(await challenge(), first.toUpperCase().replaceAll('-', ' '))).statusCode).toBe(
      200,
    );
    expect((await answerWith(await challenge(), first)).statusCode).toBe(401);
    const both = await Promise.all(
      [await challenge(), await challenge()].map(given => answerWith(given, second)),
    );
    expect(statuses(both).sort()).toEqual([200, 401]);
    expect((await house.get('/v1/me/second-factor', { cookie })).json()).toMatchObject({
      recovery_codes_left: 8,
    });
  });

  it('is stored as a hash, of its user', async () => {
    const { recovery } = await withApp();
    const rows = await house.kernel.database.inEngine('test.codes', tx =>
      tx.selectFrom('recovery_codes').selectAll().execute(),
    );
    expect(JSON.stringify(rows)).not.toContain(recovery[0]);
    await withApp('bob');
    expect((await answerWith(await challenge('bob'), recovery[0] ?? '')).statusCode).toBe(401);
  });

  it('is replaced by others, with password and code', async () => {
    const { code, cookie, recovery } = await withApp();
    const made = await house.post('/v1/me/recovery-codes', { password: PASSWORD, code: code() }, { cookie });
    expect(made.statusCode).toBe(200);
    const fresh = made.json().recovery_codes as string[];
    expect((await answerWith(await challenge(), recovery[0] ?? '')).statusCode).toBe(401);
    expect((await answerWith(await challenge(), fresh[0] ?? '')).statusCode).toBe(200);
  });
});
