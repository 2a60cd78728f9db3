import { describe, expect, it } from 'vitest';
import {
  type Answer,
  alike,
  cookieOf,
  errorsOf,
  OTHER,
  PASSWORD,
  peopleHouse,
} from '../../../test/harness/people.ts';
import { newId } from '../../kernel/index.ts';
import { createUser } from '../users.ts';
import { createSetupLink } from './setup.ts';

const house = peopleHouse();
const {
  person,
  post,
  me,
  login,
  signedIn,
  newEmail,
  addSecondFactor,
  mailFor,
  signUpToken,
  resetToken,
  settled,
  inEngine,
} = house;

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
    const username = `bare-${newId()}`;
    await createUser(house.kernel, { username, password: PASSWORD });
    await inEngine(tx =>
      tx.updateTable('users').set({ locked_at: new Date() }).where('id', '=', locked.id).execute(),
    );
    await settled();
    const before = house.catcher.mails().length;
    const answers: Answer[] = [];
    for (const name of [known.email, 'nobody', username, locked.email, '%', "' or 1=1 --"])
      answers.push(await post('/v1/password/forgot', { name }));
    for (const answer of alike(answers)) expect(answer).toEqual(alike(answers)[0]);
    expect(answers[0]?.statusCode).toBe(202);
    await settled();
    expect(
      house.catcher
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
    const token = await createSetupLink(house.kernel, id);
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
    expect(house.catcher.mails(email)).toEqual([]);
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
