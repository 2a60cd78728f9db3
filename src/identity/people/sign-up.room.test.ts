import { sql } from 'kysely';
import { describe, expect, it } from 'vitest';
import {
  type Answer,
  alike,
  completion,
  cookieOf,
  errorsOf,
  loud,
  peopleHouse,
} from '../../../test/harness/people.ts';
import { newId } from '../../kernel/index.ts';

const {
  person,
  post,
  me,
  signedIn,
  newEmail,
  usersWith,
  mailFor,
  signUpToken,
  inEngine,
  signUpTokenIn,
  endLinks,
  get,
} = peopleHouse();

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
    const second = await signUpTokenIn(loud(email));
    expect((await post('/v1/sign-up/complete', completion(second))).statusCode).toBe(200);
    const open = inEngine(tx =>
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
    expect((await get('/v1/instance')).json()).toMatchObject({
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
    await endLinks();
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
    const second = await signUpTokenIn(loud(email));
    const answers = await Promise.all(
      [first, second].map(token => post('/v1/sign-up/complete', completion(token))),
    );
    expect(statuses(answers)).toEqual([200, 422]);
    expect(errorsOf(answers.find(answer => answer.statusCode === 422) as Answer)).toEqual([422, 'token']);
  });
});
