import { describe, expect, it } from 'vitest';
import { tokenIn } from '../../../test/harness/mail.ts';
import {
  type Answer,
  alike,
  cookieOf,
  errorsOf,
  OTHER,
  PASSWORD,
  peopleHouse,
} from '../../../test/harness/people.ts';
import { until } from '../../../test/harness/until.ts';

const house = peopleHouse();
const { person, post, send, me, login, signedIn, newEmail, usersWith, mailFor, resetToken } = house;

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
    expect(house.catcher.mails(two.email).some(mail => mail.text.includes('/confirm/'))).toBe(false);
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

  it('one address confirmed by two is of one of them', async () => {
    const next = newEmail();
    const people = [await person(), await person()];
    const attempts: { token: string; cookie: string }[] = [];
    for (const { username } of people) {
      const cookie = await signedIn(username);
      const before = house.catcher.mails(next).length;
      await post('/v1/me/email', { email: next, password: PASSWORD }, cookie);
      await until(() => house.catcher.mails(next).length > before);
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
