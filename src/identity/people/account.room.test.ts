import { sql } from 'kysely';
import { describe, expect, it } from 'vitest';
import { appCode } from '../../../test/harness/identity.ts';
import { tokenIn } from '../../../test/harness/mail.ts';
import {
  type Answer,
  cookieOf,
  errorsOf,
  loud,
  PASSWORD,
  peopleHouse,
} from '../../../test/harness/people.ts';
import { addJob, INSTANCE, mintScope, newId, record } from '../../kernel/index.ts';
import { createKey, listKeys } from '../keys/service.ts';
import { invite, lookAtInvitation } from '../workspaces/invitations.ts';
import { addMember, createWorkspace, deleteWorkspace, keepWorkspace } from '../workspaces/workspaces.ts';
import { drawLink } from './links.ts';

const house = peopleHouse();
const { person, send, post, me, login, signedIn, mailFor, inEngine } = house;

type Role = Parameters<typeof addMember>[1]['role'];

const leave = (cookie: string, proof: object = { password: PASSWORD }) =>
  send('DELETE', '/v1/me', proof, cookie);
const codesOf = (answers: Answer[]) => answers.map(({ statusCode }) => statusCode).sort();

async function workspaceOf(...people: [{ id: string }, Role][]): Promise<{ id: string; slug: string }> {
  const slug = `w-${newId()}`.slice(0, 40);
  const id = await createWorkspace(house.kernel, { slug, name: 'Choir' });
  for (const [{ id: userId }, role] of people)
    await addMember(house.kernel, { workspaceId: id, userId, role });
  return { id, slug };
}

const scopeOf = (workspaceId: string, userId: string) =>
  mintScope(house.kernel, workspaceId, { kind: 'user', id: userId });

const ownersOf = (workspaceId: string) =>
  inEngine(tx =>
    tx
      .selectFrom('members')
      .select('user_id')
      .where('workspace_id', '=', workspaceId)
      .where('role', '=', 'owner')
      .execute(),
  );

const factsAbout = (subjectId: string, workspaceId = INSTANCE) =>
  inEngine(tx =>
    tx
      .selectFrom('activity')
      .select(['type', 'payload', 'actor_id'])
      .where('workspace_id', '=', workspaceId)
      .where('subject_id', '=', subjectId)
      .orderBy('id')
      .execute(),
  );

const setAdmin = (is_admin: boolean, ids?: string[]) =>
  inEngine(async tx => {
    const change = tx.updateTable('users').set({ is_admin });
    await (ids ? change.where('id', 'in', ids) : change).execute();
  });

describe('an account that its owner deletes', () => {
  it('is gone with all that opened it, everywhere; a mail says so, and the name is free', async () => {
    const { id, username, email } = await person();
    const [cookie, other] = [await signedIn(username), await signedIn(username)];
    const client = (await post('/v1/login', { username, password: PASSWORD, kind: 'client' })).json();
    const done = await leave(cookie);
    expect([done.statusCode, cookieOf(done)]).toEqual([204, 'convoke_login=']);
    for (const over of [cookie, other]) expect((await me(over)).statusCode).toBe(401);
    const refreshed = await post('/v1/login/refresh', { refresh_token: client.refresh_token });
    expect(refreshed.statusCode).toBe(401);
    expect((await login(username, PASSWORD)).statusCode).toBe(401);
    const left = await inEngine(async tx => {
      const tables = ['members', 'logins', 'second_factors', 'recovery_codes', 'known_devices', 'user_links'];
      const counts = tables.map(table =>
        sql<{ count: number }>`select count(*)::int as count from ${sql.table(table)} where user_id = ${id}`
          .execute(tx)
          .then(({ rows }) => rows[0]?.count),
      );
      return Promise.all(counts);
    });
    expect(left).toEqual([0, 0, 0, 0, 0, 0]);
    expect((await mailFor(email, /account at Convoke was deleted/)).text).toContain('From: 127.0.0.1');
    await inEngine(tx =>
      tx.insertInto('users').values({ id: newId(), username, email, name: 'Another' }).execute(),
    );
  });

  it('leaves its workspaces to the others, and nothing there opens for it any more', async () => {
    const [leaving, owner] = [await person(), await person()];
    const { id } = await workspaceOf([owner, 'owner'], [leaving, 'owner']);
    const scope = scopeOf(id, leaving.id);
    const held = { hold: async () => undefined, of: async () => new Map() };
    const key = await createKey(scope, { name: 'Mine', scopes: ['read'] }, held);
    const { id: others } = await createKey(scopeOf(id, owner.id), { name: 'Theirs', scopes: ['read'] }, held);
    const invitation = await invite(scope, { role: 'viewer' });
    expect((await leave(await signedIn(leaving.username))).statusCode).toBe(204);
    expect(await ownersOf(id)).toEqual([{ user_id: owner.id }]);
    const keys = await listKeys(scopeOf(id, owner.id), held);
    expect(keys.map(one => one.id)).toEqual([others]);
    expect(await factsAbout(key.id, id)).toMatchObject([{ type: 'key.created' }, { type: 'key.revoked' }]);
    await expect(lookAtInvitation(house.kernel, invitation.token ?? '')).rejects.toMatchObject({
      status: 422,
    });
    expect(await factsAbout(leaving.id, id)).toEqual([
      { type: 'member.left', payload: { before: { role: 'owner' } }, actor_id: leaving.id },
    ]);
  });

  it('stays in what happened by its id alone', async () => {
    const { id, username, email } = await person();
    const cookie = await signedIn(username);
    expect((await send('PATCH', '/v1/me', { username: `${username}-2` }, cookie)).statusCode).toBe(200);
    const { id: workspaceId } = await workspaceOf();
    const joined = {
      email,
      accepted_by: id,
      accepted_at: new Date(),
      expires_at: new Date(),
      token_hash: Buffer.alloc(32),
    };
    await inEngine(tx =>
      tx
        .insertInto('invitations')
        .values({ workspace_id: workspaceId, id: newId(), role: 'viewer', created_by: id, ...joined })
        .execute(),
    );
    await leave(cookie);
    expect(await factsAbout(id)).toContainEqual({
      type: 'identity.username_changed',
      payload: null,
      actor_id: id,
    });
    await mailFor(email, /account at Convoke was deleted/);
    await house.settled();
    const { rows } = await inEngine(tx =>
      sql<{ text: string }>`
        select a.payload::text as text from activity a where a.payload is not null
        union all select i.email from invitations i where i.email is not null
        union all select j.payload::text from jobs j`.execute(tx),
    );
    const told = rows.map(({ text }) => text).join('\n');
    expect(told).not.toMatch(new RegExp(`"${username}(-2)?"|${email}`));
  });

  it('takes no mail of others with it, nor the one that tells of a new address', async () => {
    const { username, email } = await person();
    const cookie = await signedIn(username);
    const next = house.newEmail();
    expect((await post('/v1/me/email', { email: next, password: PASSWORD }, cookie)).statusCode).toBe(202);
    const token = tokenIn(await mailFor(next, /Confirm your new address/), '/confirm/');
    await house.settled();
    await house.jobs.stop();
    expect((await post('/v1/me/email/confirm', { token }, cookie)).statusCode).toBe(200);
    const [namesake, told] = [
      house.newEmail(),
      { locale: 'en', time_zone: null, device: null, address: null },
    ];
    await inEngine(async tx => {
      const at = new Date().toISOString();
      await addJob(tx, 'identity.account_deleted_mail', { ...told, email: namesake, name: username, at });
      await addJob(tx, 'identity.reset_mail', { name: next });
      await drawLink(tx, house.kernel, { purpose: 'sign_up', email: loud(next) });
    });
    expect((await leave(cookie)).statusCode).toBe(204);
    const left = await inEngine(async tx => ({
      jobs: await tx.selectFrom('jobs').select('name').orderBy('name').execute(),
      links: await sql`select from user_links where lower(email) = ${next}`.execute(tx),
    }));
    expect(left.jobs.map(({ name }) => name)).toEqual([
      'identity.account_deleted_mail',
      'identity.account_deleted_mail',
      'identity.email_changed_mail',
    ]);
    expect(left.links.rows).toEqual([]);
    house.jobs.start();
    await mailFor(namesake, /account at Convoke was deleted/);
    expect((await mailFor(email, /address of your account/)).text).toContain(next);
  });

  it('is proved by the password, and by a code where there is a second factor', async () => {
    const { username } = await person();
    const cookie = await signedIn(username);
    expect(errorsOf(await leave(cookie, { password: 'not this one' }))).toEqual([403, 'password']);
    expect(errorsOf(await leave(cookie, {}))).toEqual([422, 'password']);
    const { secret } = (await post('/v1/me/second-factor', { password: PASSWORD }, cookie)).json();
    const now = house.kernel.clock.now();
    const confirmed = await post('/v1/me/second-factor/confirm', { code: appCode(secret, now) }, cookie);
    const renewed = cookieOf(confirmed);
    const [code] = confirmed.json().recovery_codes;
    expect(errorsOf(await leave(renewed))).toEqual([422, 'code']);
    expect(errorsOf(await leave(renewed, { password: PASSWORD, code: 'wrong-code' }))).toEqual([403, 'code']);
    expect((await me(renewed)).statusCode).toBe(200);
    expect((await leave(renewed, { password: PASSWORD, code })).statusCode).toBe(204);
  });
});

describe('an account that somebody still needs', () => {
  it('is kept while it alone owns a workspace, and told which; one that is to be deleted needs nobody', async () => {
    const [owner, helper] = [await person(), await person()];
    const { id, slug } = await workspaceOf([owner, 'owner'], [helper, 'admin']);
    const cookie = await signedIn(owner.username);
    const refused = await leave(cookie);
    expect(refused.json()).toMatchObject({ status: 409, code: 'illegal_state', workspaces: [slug] });
    expect(refused.json().detail).toContain(slug);
    expect((await me(cookie)).statusCode).toBe(200);
    const scope = scopeOf(id, owner.id);
    await deleteWorkspace(scope, slug);
    expect((await leave(cookie)).statusCode).toBe(204);
    await expect(keepWorkspace(scope)).rejects.toMatchObject({ code: 'illegal_state' });
  });

  it('keeps the code, too, that came with what was refused', async () => {
    const owner = await person();
    const { id } = await workspaceOf([owner, 'owner']);
    const cookie = await signedIn(owner.username);
    const { secret } = (await post('/v1/me/second-factor', { password: PASSWORD }, cookie)).json();
    const now = house.kernel.clock.now();
    const confirmed = await post('/v1/me/second-factor/confirm', { code: appCode(secret, now) }, cookie);
    const [renewed, proof] = [
      cookieOf(confirmed),
      { password: PASSWORD, code: confirmed.json().recovery_codes[0] },
    ];
    expect((await leave(renewed, proof)).statusCode).toBe(409);
    await addMember(house.kernel, { workspaceId: id, userId: (await person()).id, role: 'owner' });
    await setAdmin(true, [owner.id]);
    expect((await leave(renewed, proof)).statusCode).toBe(409);
    await setAdmin(false);
    expect((await leave(renewed, proof)).statusCode).toBe(204);
  });

  it('is kept while nobody else can run the installation', async () => {
    const [one, two] = [await person(), await person()];
    await setAdmin(true, [one.id, two.id]);
    const cookie = await signedIn(one.username);
    expect((await leave(await signedIn(two.username))).statusCode).toBe(204);
    expect((await leave(cookie)).json()).toMatchObject({ status: 409, code: 'illegal_state' });
    expect((await me(cookie)).statusCode).toBe(200);
    await setAdmin(false);
  });

  it('stays with one of two last owners who delete theirs at once', async () => {
    for (let round = 0; round < 3; round++) {
      const both = [await person(), await person()];
      const { id } = await workspaceOf(...both.map(one => [one, 'owner'] as [typeof one, Role]));
      const cookies = [];
      for (const { username } of both) cookies.push(await signedIn(username));
      expect(codesOf(await Promise.all(cookies.map(cookie => leave(cookie))))).toEqual([204, 409]);
      expect(await ownersOf(id)).toHaveLength(1);
    }
  });

  it('stays with one of two last admins who delete theirs at once', async () => {
    const both = [await person(), await person()];
    await setAdmin(
      true,
      both.map(({ id }) => id),
    );
    const cookies = [];
    for (const { username } of both) cookies.push(await signedIn(username));
    expect(codesOf(await Promise.all(cookies.map(cookie => leave(cookie))))).toEqual([204, 409]);
    await setAdmin(false);
  });
});

it('nobody erases what happened of a user who is there', async () => {
  const { id } = await person();
  await inEngine(tx =>
    record(
      tx,
      { workspaceId: INSTANCE, actor: { kind: 'system' } },
      { type: 'test.named', subject: { type: 'user', id }, payload: { name: 'Anna' } },
    ),
  );
  const erasing = inEngine(tx => sql`select convoke_erase_facts_about(${id})`.execute(tx));
  await expect(erasing).rejects.toThrow('still there');
});
