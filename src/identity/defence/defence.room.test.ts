import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import {
  appCode,
  cookiesOf,
  type IdentityHouse,
  identityHouse,
  PASSWORD,
} from '../../../test/harness/identity.ts';
import { INSTANCE } from '../../kernel/index.ts';
import { setPassword } from '../users.ts';

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

const withoutRequestId = (answer: Answer) => ({ ...answer.json(), request_id: undefined });

async function fail(
  username: string,
  times: number,
  headers: Record<string, string> = {},
): Promise<Answer[]> {
  const answers: Answer[] = [];
  for (let i = 0; i < times; i++) answers.push(await tryIn(username, 'wrong horse battery', headers));
  return answers;
}

describe('five failures', () => {
  it('lock the name for a quarter of an hour, also for the right password', async () => {
    await house.member('anna');
    expect(statuses(await fail('anna', 5))).toEqual([401, 401, 401, 401, 401]);
    const locked = await tryIn('anna');
    expect(locked.json()).toMatchObject({ status: 429, code: 'rate_limited', retry_after_s: 900 });
    expect(locked.headers['retry-after']).toBe('900');
    house.pass(15 * MINUTE_MS - 1_000);
    expect((await tryIn('Anna')).statusCode).toBe(429);
    house.pass(1_001);
    expect((await tryIn('anna')).statusCode).toBe(200);
  });

  it('are five whether there is such a user or not, with the same answers', async () => {
    await house.member('anna');
    const [known, unknown] = [await fail('anna', 6), await fail('nobody', 6)];
    expect(known.map(withoutRequestId)).toEqual(unknown.map(withoutRequestId));
    expect(statuses(unknown)).toEqual([401, 401, 401, 401, 401, 429]);
  });

  it('are one fact, told of unknown names too', async () => {
    const userId = await house.member('anna');
    await fail('anna', 6);
    await fail('nobody', 6);
    const facts = await house.kernel.database.inEngine('test.facts', tx =>
      tx
        .selectFrom('activity')
        .select(['subject_id', 'address'])
        .where('type', '=', 'identity.sign_in_locked')
        .orderBy('id', 'desc')
        .limit(3)
        .execute(),
    );
    expect(facts.slice(0, 2)).toEqual([
      { subject_id: INSTANCE, address: '127.0.0.1' },
      { subject_id: userId, address: '127.0.0.1' },
    ]);
    expect(facts[2]?.subject_id).not.toBe(userId);
  });

  it('are five also when many come at once', async () => {
    await house.member('anna');
    const answers = await Promise.all(Array.from({ length: 9 }, () => tryIn('anna', 'wrong horse battery')));
    expect(statuses(answers).sort()).toEqual([401, 401, 401, 401, 401, 429, 429, 429, 429]);
  });

  it('by strangers do not keep out the browsers that the person uses', async () => {
    await house.member('anna');
    const device = cookiesOf(await tryIn('anna'), 'device');
    await fail('anna', 6);
    expect((await tryIn('anna')).statusCode).toBe(429);
    expect((await tryIn('anna', PASSWORD, { cookie: device })).statusCode).toBe(200);
    // Their success is none of the strangers'.
    expect((await tryIn('anna')).statusCode).toBe(429);
  });

  it('from a known browser lock that browser, and a made-up one is a stranger', async () => {
    await house.member('anna');
    const device = cookiesOf(await tryIn('anna'), 'device');
    await fail('anna', 5, { cookie: device });
    expect((await tryIn('anna', PASSWORD, { cookie: device })).statusCode).toBe(429);
    expect((await tryIn('anna')).statusCode).toBe(200);
    await fail('anna', 5);
    expect((await tryIn('anna', PASSWORD, { cookie: `convoke_device=${'x'.repeat(43)}` })).statusCode).toBe(
      429,
    );
  });

  it('of the browser of one user say nothing of another', async () => {
    await house.member('anna');
    await house.member('bob');
    const bobs = cookiesOf(await tryIn('bob'), 'device');
    await fail('anna', 5);
    expect((await tryIn('anna', PASSWORD, { cookie: bobs })).statusCode).toBe(429);
  });

  it('are no five when one in between succeeds, or a quarter of an hour passes', async () => {
    await house.member('anna');
    await fail('anna', 4);
    expect((await tryIn('anna')).statusCode).toBe(200);
    expect(statuses(await fail('anna', 4))).toEqual([401, 401, 401, 401]);
    house.pass(15 * MINUTE_MS);
    await house.forgetLimits();
    await fail('anna', 4);
    expect((await tryIn('anna')).statusCode).toBe(200);
  });

  it('are forgotten with a new password', async () => {
    await house.member('anna');
    await fail('anna', 5);
    await setPassword(house.kernel, 'anna', 'another good password');
    expect((await tryIn('anna', 'another good password')).statusCode).toBe(200);
  });
});

describe('the limits of sign-in', () => {
  it('hold for an address whatever the names, with the words of a lock', async () => {
    await house.member('anna');
    const answers: Answer[] = [];
    for (let i = 0; i < 20; i++) answers.push(await tryIn(`nobody-${i}`));
    expect(new Set(statuses(answers))).toEqual(new Set([401]));
    const refused = await tryIn('anna');
    expect(refused.statusCode).toBe(429);
    expect(Number(refused.headers['retry-after'])).toBeGreaterThan(0);
    await house.forgetLimits();
    await fail('anna', 5);
    expect((await tryIn('anna')).json().detail).toBe(refused.json().detail);
  });

  it('hold for a name even when each try succeeds', async () => {
    await house.member('anna');
    for (let i = 0; i < 10; i++) expect((await tryIn('anna')).statusCode).toBe(200);
    expect((await tryIn('anna')).statusCode).toBe(429);
  });

  it('hold for the whole installation, but apart for known browsers', async () => {
    await house.member('anna');
    const device = cookiesOf(await tryIn('anna'), 'device');
    await house.kernel.database.inEngine('test.flood', tx =>
      tx
        .updateTable('limit_hits')
        .set({ hits: 300 })
        .where('key', '=', 'login.installation:strangers')
        .execute(),
    );
    expect((await tryIn('anna')).statusCode).toBe(429);
    expect((await tryIn('anna', PASSWORD, { cookie: device })).statusCode).toBe(200);
  });
});

describe('the time of an answer', () => {
  it('does not tell a known name from an unknown one', async () => {
    await house.member('anna');
    const times: Record<string, number[]> = { anna: [], nobody: [] };
    for (let i = 0; i < 30; i++) {
      for (const name of ['anna', 'nobody']) {
        const from = performance.now();
        expect((await tryIn(name, 'wrong horse battery')).statusCode).toBe(401);
        times[name]?.push(performance.now() - from);
      }
      await house.kernel.database.inEngine('test.forget', async tx => {
        await tx.deleteFrom('login_failures').execute();
        await tx.deleteFrom('limit_hits').execute();
      });
    }
    const [known, unknown] = [quartiles(times.anna ?? []), quartiles(times.nobody ?? [])];
    const spread = Math.max(known.high - known.low, unknown.high - unknown.low);
    expect(Math.abs(known.median - unknown.median)).toBeLessThan(spread);
    // An answer without the work of a password would be far below.
    expect(unknown.median).toBeGreaterThan(known.median / 2);
  });
});

function quartiles(times: number[]): { low: number; median: number; high: number } {
  const sorted = [...times].sort((a, b) => a - b);
  const at = (share: number) => sorted[Math.floor(share * (sorted.length - 1))] ?? 0;
  return { low: at(0.25), median: at(0.5), high: at(0.75) };
}

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
