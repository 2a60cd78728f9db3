import { sql } from 'kysely';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type MailCatcher, startMailCatcher } from '../../../sim/mail/index.ts';
import { type TestKernel, testKernel } from '../../../test/harness/database.ts';
import { mailTo, tokenIn } from '../../../test/harness/mail.ts';
import { until } from '../../../test/harness/until.ts';
import {
  createHttp,
  createJobs,
  createMailer,
  type Http,
  type Jobs,
  newId,
  readConfig,
} from '../../kernel/index.ts';
import { createGate } from '../logins/gate.ts';
import { registerIdentityRoutes } from '../routes.ts';
import { createUser } from '../users.ts';
import { registerPeopleJobs } from './mail-jobs.ts';
import { createSetupLink } from './setup.ts';

const PASSWORD = 'four crooked lampposts';
const OTHER = 'seven patient herons';
const WEB = 'http://convoke.test';

let kernel: TestKernel;
let http: Http;
let jobs: Jobs;
let catcher: MailCatcher;

beforeAll(async () => {
  catcher = await startMailCatcher();
  const config = readConfig({
    CONVOKE_SANDBOX: '1',
    CONVOKE_SMTP_URL: catcher.smtpUrl,
    CONVOKE_MAIL_FROM: 'Convoke <convoke@example.org>',
  });
  kernel = await testKernel({ config });
  http = await createHttp(kernel, createGate(kernel));
  registerIdentityRoutes(http, kernel);
  await http.app.ready();
  jobs = createJobs(kernel);
  registerPeopleJobs(jobs, kernel, createMailer(kernel), WEB);
  jobs.start();
});
afterAll(async () => {
  await jobs.stop();
  await http.close();
  await kernel.close();
  await catcher.close();
});
beforeEach(async () => {
  await inEngine(async tx => {
    await tx.deleteFrom('limit_hits').execute();
    await tx.deleteFrom('login_failures').execute();
    const fresh = { sign_up: 'open', terms_version: null, terms_url: null };
    await tx.updateTable('instance_settings').set(fresh).execute();
  });
});

type InEngine = TestKernel['database']['inEngine'];
const inEngine = <T>(work: Parameters<InEngine>[1]) => kernel.database.inEngine('test', work) as Promise<T>;
const addSecondFactor = (userId: string) =>
  inEngine(tx =>
    tx
      .insertInto('second_factors')
      .values({ user_id: userId, secret: Buffer.alloc(20), confirmed_at: new Date() })
      .execute(),
  );

function send(method: 'POST' | 'PATCH', url: string, payload: object, cookie = '') {
  const headers = { host: 'convoke.test', origin: WEB, cookie };
  return http.app.inject({ method, url, payload, headers });
}
const post = (url: string, payload: object, cookie?: string) => send('POST', url, payload, cookie);
const me = (cookie: string) => http.app.inject({ url: '/v1/me', headers: { cookie } });

type Answer = Awaited<ReturnType<typeof send>>;
function cookieOf(answer: Answer): string {
  const cookies = [answer.headers['set-cookie'] ?? []].flat().map(cookie => cookie.split(';')[0] ?? '');
  return cookies.find(cookie => cookie.startsWith('convoke_login=')) ?? '';
}

const login = (username: string, password: string) => post('/v1/login', { username, password });
async function signedIn(username: string, password = PASSWORD): Promise<string> {
  const answer = await login(username, password);
  expect(answer.statusCode).toBe(200);
  return cookieOf(answer);
}

let count = 0;
const newEmail = () => `person${++count}@example.org`;

/** The same mailbox, typed by somebody else. */
const loud = (email: string) => email.replace('person', 'PERSON');

/** Somebody with a proven address. */
async function person(): Promise<{ id: string; username: string; email: string }> {
  const email = newEmail();
  const username = `person${count}`;
  const id = await createUser(kernel, { username, password: PASSWORD });
  await inEngine(tx => tx.updateTable('users').set({ email }).where('id', '=', id).execute());
  return { id, username, email };
}

const mailFor = (to: string, subject: RegExp) => mailTo(address => catcher.mails(address), to, subject);
const SIGN_UP = /Finish your sign-up/;
const RESET = /Choose a new password/;

async function signUpToken(email: string): Promise<string> {
  expect((await post('/v1/sign-up', { email })).statusCode).toBe(202);
  return tokenIn(await mailFor(email, SIGN_UP), '/sign-up/');
}

async function resetToken(name: string, email: string): Promise<string> {
  const before = catcher.mails(email).length;
  expect((await post('/v1/password/forgot', { name })).statusCode).toBe(202);
  await until(() => catcher.mails(email).length > before);
  return tokenIn(await mailFor(email, RESET), '/reset/');
}

const completion = (token: string, more: object = {}) => ({
  token,
  name: 'Anna',
  password: PASSWORD,
  ...more,
});

const usersWith = (email: string) =>
  inEngine<{ id: string; terms_version: string | null }[]>(tx =>
    tx.selectFrom('users').select(['id', 'terms_version']).where('email', '=', email).execute(),
  );

/** All mails that were asked for have been dealt with. */
const settled = () =>
  until(async () => {
    const rows = await inEngine<object[]>(tx => tx.selectFrom('jobs').select('id').execute());
    return rows.length === 0;
  });

const alike = (answers: Answer[]) =>
  answers.map(({ statusCode, body, headers }) => ({
    statusCode,
    body: body === '' ? '' : { ...JSON.parse(body), request_id: undefined },
    headers: Object.keys(headers).sort(),
  }));

const errorsOf = (answer: Answer) => [answer.statusCode, answer.json().errors?.[0]?.path];

describe('signing up', () => {
  it('goes by a link to the address, and makes the account only when that is followed', async () => {
    const email = newEmail();
    const token = await signUpToken(email);
    expect(await usersWith(email)).toEqual([]);
    const done = await post(
      '/v1/sign-up/complete',
      completion(token, { locale: 'de', time_zone: 'Europe/Berlin' }),
    );
    expect(done.json()).toMatchObject({
      user: { email, name: 'Anna', username: null, locale: 'de', time_zone: 'Europe/Berlin', theme: 'auto' },
      workspaces: [],
    });
    expect((await me(cookieOf(done))).statusCode).toBe(200);
    await signedIn(email.toUpperCase());
    expect(errorsOf(await post('/v1/sign-up/complete', completion(token)))).toEqual([422, 'token']);
  });

  it('ends all open links of the address', async () => {
    const email = newEmail();
    const first = await signUpToken(email);
    await post('/v1/sign-up', { email: loud(email) });
    const second = tokenIn(await mailFor(loud(email), SIGN_UP), '/sign-up/');
    expect((await post('/v1/sign-up/complete', completion(second))).statusCode).toBe(200);
    const open = inEngine<object[]>(tx =>
      tx
        .selectFrom('user_links')
        .select('email')
        .where(sql`lower(email)`, '=', email)
        .where('used_at', 'is', null)
        .execute(),
    );
    expect(await open).toEqual([]);
    expect(errorsOf(await post('/v1/sign-up/complete', completion(first)))).toEqual([422, 'token']);
  });

  it('with an address that has an account is answered alike, and only its owner is told', async () => {
    const { email } = await person();
    const answers = [
      await post('/v1/sign-up', { email: newEmail() }),
      await post('/v1/sign-up', { email: email.toUpperCase() }),
    ];
    expect(answers[0]?.statusCode).toBe(202);
    expect(alike(answers)[1]).toEqual(alike(answers)[0]);
    const mail = await mailFor(email, /You have an account/);
    expect(mail.text).not.toContain('/sign-up/');
  });

  it('is refused, whatever the address, where it is not open, also to who has a link', async () => {
    const token = await signUpToken(newEmail());
    const { email } = await person();
    for (const mode of ['invitation', 'closed']) {
      await inEngine(tx => tx.updateTable('instance_settings').set({ sign_up: mode }).execute());
      const answers = [
        await post('/v1/sign-up', { email }),
        await post('/v1/sign-up', { email: newEmail() }),
      ];
      expect(answers[0]?.statusCode).toBe(403);
      expect(alike(answers)[1]).toEqual(alike(answers)[0]);
      expect((await post('/v1/sign-up/complete', completion(token))).statusCode).toBe(403);
    }
  });

  it('tells who has a link that a username is taken, and leaves the link as it was', async () => {
    const { username } = await person();
    const token = await signUpToken(newEmail());
    const taken = await post('/v1/sign-up/complete', completion(token, { username: username.toUpperCase() }));
    expect(errorsOf(taken)).toEqual([422, 'username']);
    const nobody = await post('/v1/sign-up/complete', completion(newId(), { username }));
    expect(errorsOf(nobody)).toEqual([422, 'token']);
    expect(
      (await post('/v1/sign-up/complete', completion(token, { username: `${username}x` }))).statusCode,
    ).toBe(200);
  });

  it('needs consent to the terms, records the version, and asks again when it moves', async () => {
    const terms = { terms_version: '2026-01', terms_url: 'https://example.org/terms' };
    await inEngine(tx => tx.updateTable('instance_settings').set(terms).execute());
    expect((await http.app.inject({ url: '/v1/instance' })).json()).toMatchObject({
      sign_up: 'open',
      terms: { version: '2026-01', url: 'https://example.org/terms' },
      mail: true,
    });
    const email = newEmail();
    const token = await signUpToken(email);
    expect(errorsOf(await post('/v1/sign-up/complete', completion(token)))).toEqual([422, 'accept_terms']);
    const cookie = cookieOf(await post('/v1/sign-up/complete', completion(token, { accept_terms: true })));
    expect((await usersWith(email))[0]?.terms_version).toBe('2026-01');
    const due = async () => (await me(cookie)).json().user.terms_due;
    expect(await due()).toBe(false);
    await inEngine(tx => tx.updateTable('instance_settings').set({ terms_version: '2026-02' }).execute());
    expect(await due()).toBe(true);
    expect((await post('/v1/me/terms', { version: '2026-01' }, cookie)).statusCode).toBe(409);
    expect((await post('/v1/me/terms', { version: '2026-02' }, cookie)).statusCode).toBe(200);
    expect(await due()).toBe(false);
  });

  it('cannot take an address that has come to an account by another way meanwhile', async () => {
    const email = newEmail();
    const token = await signUpToken(email);
    const { id } = await person();
    await inEngine(tx =>
      tx
        .updateTable('users')
        .set({ email: loud(email) })
        .where('id', '=', id)
        .execute(),
    );
    expect(errorsOf(await post('/v1/sign-up/complete', completion(token)))).toEqual([422, 'token']);
  });

  it('has links that end after a day', async () => {
    const token = await signUpToken(newEmail());
    await inEngine(tx => sql`update user_links set expires_at = now() - interval '1 second'`.execute(tx));
    expect(errorsOf(await post('/v1/sign-up/complete', completion(token)))).toEqual([422, 'token']);
  });

  it('refuses a password that anybody would try, and leaves the link as it was', async () => {
    const email = newEmail();
    const token = await signUpToken(email);
    for (const password of [email, 'password1234'])
      expect(errorsOf(await post('/v1/sign-up/complete', completion(token, { password })))).toEqual([
        422,
        'password',
      ]);
    expect((await post('/v1/sign-up/complete', completion(token))).statusCode).toBe(200);
  });
});

describe('asking for mails', () => {
  it('is limited by person, known or not alike, and by network', async () => {
    const { email } = await person();
    const refusals: Answer[] = [];
    for (const name of [email, newEmail()]) {
      for (let ask = 0; ask < 5; ask++)
        expect((await post('/v1/password/forgot', { name })).statusCode).toBe(202);
      refusals.push(await post('/v1/password/forgot', { name: name.toUpperCase() }));
    }
    expect(refusals.map(answer => answer.json().code)).toEqual(['rate_limited', 'rate_limited']);
    expect(refusals[0]?.json().limit).toBe('mail_person');
    let answer = await post('/v1/sign-up', { email: newEmail() });
    for (let ask = 0; ask < 30 && answer.statusCode === 202; ask++)
      answer = await post('/v1/sign-up', { email: newEmail() });
    expect(answer.json()).toMatchObject({ code: 'rate_limited', limit: 'mail_network' });
  });

  it('stores nothing secret: the token is drawn with the mail, anew when it is tried again', async () => {
    const { email } = await person();
    await settled();
    await jobs.stop();
    catcher.refuse(1, 451);
    await post('/v1/password/forgot', { name: email });
    const waiting = await inEngine<{ payload: unknown }[]>(tx =>
      tx.selectFrom('jobs').select('payload').execute(),
    );
    expect(waiting.map(row => row.payload)).toEqual([{ name: email }]);
    const links = () =>
      inEngine<{ token_hash: Buffer }[]>(tx => tx.selectFrom('user_links').select('token_hash').execute());
    const before = (await links()).length;
    jobs.start();
    await until(async () => (await links()).length === before + 1);
    await inEngine(tx => sql`update jobs set due_at = now() where claimed_by is null`.execute(tx));
    await until(async () => {
      await inEngine(tx => sql`update jobs set due_at = now() where claimed_by is null`.execute(tx));
      kernel.wake.publish('jobs');
      return catcher.mails(email).length === 1;
    });
    expect(await links()).toHaveLength(before + 2);
    const token = tokenIn(await mailFor(email, RESET), '/reset/');
    expect((await post('/v1/password/reset', { token, password: OTHER })).statusCode).toBe(200);
  });
});

describe('a forgotten password', () => {
  it.each(['username', 'email'] as const)(
    'is replaced by a link, asked for by %s; all that was opened before ends',
    async by => {
      const { username, email, ...user } = await person();
      const old = await signedIn(username);
      for (let failure = 0; failure < 5; failure++) await login(username, 'wrong wrong wrong');
      expect((await login(username, PASSWORD)).statusCode).toBe(429);
      const unused = await resetToken({ username, email }[by], email);
      const token = await resetToken({ username, email }[by], email);
      const done = await post('/v1/password/reset', { token, password: OTHER });
      expect(done.json()).toMatchObject({ user: { id: user.id } });
      expect((await me(cookieOf(done))).statusCode).toBe(200);
      expect((await me(old)).statusCode).toBe(401);
      await signedIn(username, OTHER);
      expect((await login(username, PASSWORD)).statusCode).toBe(401);
      for (const over of [token, unused])
        expect(errorsOf(await post('/v1/password/reset', { token: over, password: PASSWORD }))).toEqual([
          422,
          'token',
        ]);
      await mailFor(email, /password for Convoke was changed/);
    },
  );

  it('of nobody, of somebody without an address and of somebody locked is answered alike, and nothing is sent', async () => {
    const known = await person();
    const locked = await person();
    const username = `bare${++count}`;
    await createUser(kernel, { username, password: PASSWORD });
    await inEngine(tx =>
      tx.updateTable('users').set({ locked_at: new Date() }).where('id', '=', locked.id).execute(),
    );
    await settled();
    const before = catcher.mails().length;
    const answers: Answer[] = [];
    for (const name of [known.email, 'nobody', username, locked.email, '%', "' or 1=1 --"])
      answers.push(await post('/v1/password/forgot', { name }));
    for (const answer of alike(answers)) expect(answer).toEqual(alike(answers)[0]);
    expect(answers[0]?.statusCode).toBe(202);
    await settled();
    expect(
      catcher
        .mails()
        .slice(before)
        .map(mail => mail.to),
    ).toEqual([known.email]);
  });

  it('of somebody with a second factor is replaced, and nobody signed in: the link is no proof of that', async () => {
    const { id, username, email } = await person();
    const token = await resetToken(username, email);
    await addSecondFactor(id);
    const done = await post('/v1/password/reset', { token, password: OTHER });
    expect([done.statusCode, cookieOf(done)]).toEqual([204, '']);
  });

  it('is set by a setup link in the same way, and is none that anybody would try', async () => {
    const { id } = await person();
    const token = await createSetupLink(kernel, id);
    const guessable = await post('/v1/setup', { token, password: 'password1234' });
    expect(errorsOf(guessable)).toEqual([422, 'password']);
    await addSecondFactor(id);
    const done = await post('/v1/setup', { token, password: OTHER });
    expect([done.statusCode, cookieOf(done)]).toEqual([204, '']);
  });

  it('takes no link of another purpose', async () => {
    const token = await signUpToken(newEmail());
    expect(errorsOf(await post('/v1/password/reset', { token, password: OTHER }))).toEqual([422, 'token']);
  });
});

describe('a sign-in', () => {
  it('from another browser than before is told by mail; from a known one, or the first, it is not', async () => {
    const { username, email } = await person();
    const first = await login(username, PASSWORD);
    const device = [first.headers['set-cookie'] ?? []]
      .flat()
      .find(cookie => cookie.startsWith('convoke_device='))
      ?.split(';')[0];
    await post('/v1/login', { username, password: PASSWORD }, device);
    await settled();
    expect(catcher.mails(email)).toEqual([]);
    await login(username, PASSWORD);
    expect((await mailFor(email, /new sign-in/)).text).toContain('From: 127.0.0.1');
  });

  it('whose refresh token was copied ends, and a mail says so', async () => {
    const { username, email } = await person();
    const tokens = (await post('/v1/login', { username, password: PASSWORD, kind: 'client' })).json();
    const refresh = async (token: string) => post('/v1/login/refresh', { refresh_token: token });
    const next = (await refresh(tokens.refresh_token)).json();
    await refresh(next.refresh_token);
    expect((await refresh(tokens.refresh_token)).statusCode).toBe(401);
    await mailFor(email, /ended a login/);
  });
});

describe('who is signed in', () => {
  it('changes the password with the old one; all other logins end, and a mail says so', async () => {
    const { username, email } = await person();
    const [mine, other] = [await signedIn(username), await signedIn(username)];
    expect((await post('/v1/me/password', { current: OTHER, new: OTHER }, mine)).statusCode).toBe(403);
    expect(errorsOf(await post('/v1/me/password', { current: PASSWORD, new: email }, mine))).toEqual([
      422,
      'new',
    ]);
    const done = await post('/v1/me/password', { current: PASSWORD, new: OTHER }, mine);
    expect(done.statusCode).toBe(200);
    expect((await me(cookieOf(done))).statusCode).toBe(200);
    for (const over of [mine, other]) expect((await me(over)).statusCode).toBe(401);
    await signedIn(username, OTHER);
    await mailFor(email, /password for Convoke was changed/);
  });

  it('changes the address by a link to the new one, which nobody else may follow; the old one is told', async () => {
    const { username, email } = await person();
    const cookie = await signedIn(username);
    const next = newEmail();
    expect((await post('/v1/me/email', { email: next, password: OTHER }, cookie)).statusCode).toBe(403);
    const reset = await resetToken(username, email);
    expect((await post('/v1/me/email', { email: next, password: PASSWORD }, cookie)).statusCode).toBe(202);
    const token = tokenIn(await mailFor(next, /Confirm your new address/), '/confirm/');
    expect((await me(cookie)).json().user.email).toBe(email);
    const stranger = await signedIn((await person()).username);
    expect(errorsOf(await post('/v1/me/email/confirm', { token }, stranger))).toEqual([422, 'token']);
    expect((await post('/v1/me/email/confirm', { token })).statusCode).toBe(401);
    expect((await post('/v1/me/email/confirm', { token }, cookie)).json().user.email).toBe(next);
    expect((await mailFor(email, /address of your account/)).text).toContain(next);
    // What lies in the old mailbox opens nothing any more.
    expect(errorsOf(await post('/v1/password/reset', { token: reset, password: OTHER }))).toEqual([
      422,
      'token',
    ]);
  });

  it('learns nothing about an address of somebody else, who gets a mail', async () => {
    const [one, two] = [await person(), await person()];
    const cookie = await signedIn(one.username);
    const answers = [
      await post('/v1/me/email', { email: newEmail(), password: PASSWORD }, cookie),
      await post('/v1/me/email', { email: two.email, password: PASSWORD }, cookie),
    ];
    expect(alike(answers)[1]).toEqual(alike(answers)[0]);
    await mailFor(two.email, /You have an account/);
    expect(catcher.mails(two.email).some(mail => mail.text.includes('/confirm/'))).toBe(false);
  });

  it('changes the own profile, and hears which field is wrong', async () => {
    const [one, two] = [await person(), await person()];
    const cookie = await signedIn(one.username);
    const patch = (change: object) => send('PATCH', '/v1/me', change, cookie);
    const change = { name: 'Änne', locale: 'de-AT', time_zone: 'Europe/Vienna', theme: 'dark' };
    expect((await patch(change)).json().user).toMatchObject({ ...change, username: one.username });
    expect((await patch({})).statusCode).toBe(200);
    for (const [wrong, path] of [
      [{ time_zone: 'Mars/Olympus' }, 'time_zone'],
      [{ locale: 'not a locale' }, 'locale'],
      [{ theme: 'pink' }, 'theme'],
      [{ name: 'two\nlines' }, 'name'],
      [{ username: two.username.toUpperCase() }, 'username'],
      [{ is_admin: true }, 'is_admin'],
      [{ email: newEmail() }, 'email'],
    ] as const)
      expect(errorsOf(await patch(wrong))).toEqual([422, path]);
    expect((await send('PATCH', '/v1/me', change)).statusCode).toBe(401);
    expect((await me(cookie)).json().user).toMatchObject({ ...change, is_admin: false, email: one.email });
  });
});

describe('at the same time', () => {
  const statuses = (answers: Answer[]) => answers.map(answer => answer.statusCode).sort((a, b) => a - b);

  it('one link followed by many makes one account', async () => {
    const email = newEmail();
    const token = await signUpToken(email);
    const answers = await Promise.all(
      [1, 2, 3, 4].map(n => post('/v1/sign-up/complete', completion(token, { name: `Anna ${n}` }))),
    );
    expect(statuses(answers)).toEqual([200, 422, 422, 422]);
    expect(await usersWith(email)).toHaveLength(1);
  });

  it('two links of one address make one account', async () => {
    const email = newEmail();
    const first = await signUpToken(email);
    await post('/v1/sign-up', { email: loud(email) });
    const second = tokenIn(await mailFor(loud(email), SIGN_UP), '/sign-up/');
    const answers = await Promise.all(
      [first, second].map(token => post('/v1/sign-up/complete', completion(token))),
    );
    expect(statuses(answers)).toEqual([200, 422]);
    expect(errorsOf(answers.find(answer => answer.statusCode === 422) as Answer)).toEqual([422, 'token']);
  });

  it('one address confirmed by two is of one of them', async () => {
    const next = newEmail();
    const people = [await person(), await person()];
    const attempts: { token: string; cookie: string }[] = [];
    for (const { username } of people) {
      const cookie = await signedIn(username);
      const before = catcher.mails(next).length;
      await post('/v1/me/email', { email: next, password: PASSWORD }, cookie);
      await until(() => catcher.mails(next).length > before);
      attempts.push({ cookie, token: tokenIn(await mailFor(next, /Confirm/), '/confirm/') });
    }
    const answers = await Promise.all(
      attempts.map(({ token, cookie }) => post('/v1/me/email/confirm', { token }, cookie)),
    );
    expect(statuses(answers)).toEqual([200, 422]);
    expect(await usersWith(next)).toHaveLength(1);
  });

  it('of two who change one password, one does, and the other is out', async () => {
    const { username } = await person();
    const cookies = [await signedIn(username), await signedIn(username)];
    const wishes = [OTHER, `${OTHER} more`];
    const answers = await Promise.all(
      cookies.map((cookie, n) => post('/v1/me/password', { current: PASSWORD, new: wishes[n] }, cookie)),
    );
    const won = answers.findIndex(answer => answer.statusCode === 200);
    expect(answers.filter(answer => answer.statusCode === 200)).toHaveLength(1);
    await signedIn(username, wishes[won]);
    expect((await login(username, wishes[1 - won] ?? '')).statusCode).toBe(401);
  });
});

describe('the time that an answer takes', () => {
  const ROUNDS = 40;

  it.each([
    ['/v1/sign-up', 'email'],
    ['/v1/password/forgot', 'name'],
  ])('%s tells nobody whether there is an account', async (url, field) => {
    await settled();
    await jobs.stop();
    const times: Record<'known' | 'unknown', number[]> = { known: [], unknown: [] };
    for (let round = 0; round < ROUNDS; round++) {
      const known = (await person()).email;
      await inEngine(tx => tx.deleteFrom('limit_hits').execute());
      for (const who of round % 2 === 0 ? (['known', 'unknown'] as const) : (['unknown', 'known'] as const)) {
        const from = performance.now();
        const answer = await post(url, { [field]: who === 'known' ? known : newEmail() });
        times[who].push(performance.now() - from);
        expect(answer.statusCode).toBe(202);
      }
    }
    await inEngine(tx => tx.deleteFrom('jobs').execute());
    jobs.start();
    const at = (values: number[], share: number) =>
      [...values].sort((a, b) => a - b)[Math.floor(values.length * share)] ?? 0;
    const spread = (values: number[]) => at(values, 0.75) - at(values, 0.25);
    const difference = Math.abs(at(times.known, 0.5) - at(times.unknown, 0.5));
    expect(difference).toBeLessThan(Math.max(spread(times.known), spread(times.unknown)));
  });
});
