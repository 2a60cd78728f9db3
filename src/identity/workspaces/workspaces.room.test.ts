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
import { openLogin } from '../logins/opening.ts';
import { registerIdentityRoutes } from '../routes.ts';
import type { Role } from '../schema.ts';
import { newUser } from '../users.ts';
import { registerInvitationJob } from './invitation-mail.ts';
import { registerWorkspaceRoutes } from './routes.ts';
import { addMember, createWorkspace } from './workspaces.ts';

const PASSWORD = 'correct horse battery';

let kernel: TestKernel;
let http: Http;
let jobs: Jobs;
let catcher: MailCatcher;
let workspaceId: string;
const closed: string[] = [];

beforeAll(async () => {
  catcher = await startMailCatcher();
  kernel = await testKernel({
    config: readConfig({
      CONVOKE_SANDBOX: '1',
      CONVOKE_SMTP_URL: catcher.smtpUrl,
      CONVOKE_MAIL_FROM: 'Convoke <convoke@example.org>',
    }),
  });
  http = await createHttp(kernel, createGate(kernel));
  registerIdentityRoutes(http, kernel);
  registerWorkspaceRoutes(http, kernel, async scope => {
    closed.push(scope.workspaceId);
  });
  await http.app.ready();
  jobs = createJobs(kernel);
  registerInvitationJob(jobs, kernel, createMailer(kernel), 'http://convoke.test');
  jobs.start();
});
afterAll(async () => {
  await jobs.stop();
  await http.close();
  await kernel.close();
  await catcher.close();
});
beforeEach(async () => {
  workspaceId = await createWorkspace(kernel, { slug: `choir-${newId()}`.slice(0, 40), name: 'Choir' });
});

type Person = { id: string; ask: (method: Method, url: string, payload?: object) => ReturnType<typeof ask> };
type Method = 'GET' | 'POST' | 'PATCH' | 'DELETE';

function ask(cookie: string, method: Method, url: string, payload?: object) {
  const headers = { host: 'convoke.test', origin: 'http://convoke.test', cookie };
  return http.app.inject({ method, url, headers, ...(payload ? { payload } : {}) });
}

const visit = (method: Method, url: string, payload?: object) => ask('', method, url, payload);

/** Somebody who is signed in, and a member if a role is named. */
async function person(role?: Role): Promise<Person> {
  const { id, token } = await kernel.database.inEngine('test.person', async tx => {
    const id = await newUser(tx, { username: `user-${newId()}`, passwordHash: null });
    const visitor = { address: '127.0.0.1', userAgent: undefined, device: undefined };
    return { id, token: (await openLogin(tx, kernel, id, visitor)).token };
  });
  if (role) await addMember(kernel, { workspaceId, userId: id, role });
  return { id, ask: (...request) => ask(`convoke_login=${token}`, ...request) };
}

async function roles(): Promise<Record<string, string>> {
  const rows = await kernel.database.inEngine('test.roles', tx =>
    tx.selectFrom('members').select(['user_id', 'role']).where('workspace_id', '=', workspaceId).execute(),
  );
  return Object.fromEntries(rows.map(row => [row.user_id, row.role]));
}

async function facts(type: string): Promise<unknown[]> {
  const rows = await kernel.database.inEngine('test.facts', tx =>
    tx
      .selectFrom('activity')
      .select('payload')
      .where('workspace_id', '=', workspaceId)
      .where('type', '=', type)
      .execute(),
  );
  return rows.map(row => row.payload);
}

async function invitation(owner: Person, role: Role = 'agent') {
  const answer = await owner.ask('POST', '/v1/invitations', { role });
  expect(answer.statusCode).toBe(201);
  const { id, link } = answer.json();
  return { id: String(id), token: String(link).split('/').at(-1) ?? '' };
}

function setSignUp(mode: 'open' | 'invitation' | 'closed') {
  return kernel.database.inEngine('test.mode', tx =>
    tx.updateTable('instance_settings').set({ sign_up: mode }).execute(),
  );
}

describe('a role', () => {
  it('is changed by an owner, with a fact of before and after, and counts from the next request on', async () => {
    const [owner, agent] = [await person('owner'), await person('viewer')];
    expect((await agent.ask('GET', '/v1/invitations')).statusCode).toBe(403);
    expect((await owner.ask('PATCH', `/v1/members/${agent.id}`, { role: 'admin' })).statusCode).toBe(204);
    expect((await agent.ask('GET', '/v1/invitations')).statusCode).toBe(200);
    expect(await facts('member.role_changed')).toEqual([
      { before: { role: 'viewer' }, after: { role: 'admin' } },
    ]);
  });

  it('of an owner is beyond an admin, who can neither give nor take it', async () => {
    const [owner, admin, agent] = [await person('owner'), await person('admin'), await person('agent')];
    const tries = [
      await admin.ask('PATCH', `/v1/members/${agent.id}`, { role: 'owner' }),
      await admin.ask('PATCH', `/v1/members/${admin.id}`, { role: 'owner' }),
      await admin.ask('PATCH', `/v1/members/${owner.id}`, { role: 'agent' }),
      await admin.ask('DELETE', `/v1/members/${owner.id}`),
    ];
    expect(tries.map(answer => answer.statusCode)).toEqual([403, 403, 403, 403]);
    expect((await admin.ask('POST', '/v1/invitations', { role: 'owner' })).statusCode).toBe(422);
    expect(await roles()).toEqual({ [owner.id]: 'owner', [admin.id]: 'admin', [agent.id]: 'agent' });
  });

  it('of the last owner cannot be given up, by whichever way', async () => {
    const owner = await person('owner');
    const tries = [
      await owner.ask('PATCH', `/v1/members/${owner.id}`, { role: 'admin' }),
      await owner.ask('DELETE', `/v1/members/${owner.id}`),
      await owner.ask('POST', '/v1/workspace/leave'),
    ];
    expect(tries.map(answer => [answer.statusCode, answer.json().code])).toEqual(
      Array(3).fill([409, 'illegal_state']),
    );
    expect(await roles()).toEqual({ [owner.id]: 'owner' });
  });

  it('of owner stays with one of two who demote each other at once', async () => {
    for (let round = 0; round < 5; round++) {
      const [one, two] = [await person('owner'), await person('owner')];
      const answers = await Promise.all([
        one.ask('PATCH', `/v1/members/${two.id}`, { role: 'viewer' }),
        two.ask('PATCH', `/v1/members/${one.id}`, { role: 'viewer' }),
      ]);
      expect(answers.map(answer => answer.statusCode).sort()).toEqual([204, 403]);
      await kernel.database.inEngine('test.clear', tx =>
        tx.deleteFrom('members').where('workspace_id', '=', workspaceId).execute(),
      );
    }
  });

  it('of owner stays with one of two who leave at once', async () => {
    const [one, two] = [await person('owner'), await person('owner')];
    const answers = await Promise.all([one, two].map(who => who.ask('POST', '/v1/workspace/leave')));
    expect(answers.map(answer => answer.statusCode).sort()).toEqual([204, 409]);
    expect(Object.values(await roles())).toEqual(['owner']);
  });

  it('of somebody elsewhere looks like one that does not exist', async () => {
    const [owner, stranger] = [await person('owner'), await person()];
    const answers = await Promise.all(
      [stranger.id, newId()].map(id => owner.ask('PATCH', `/v1/members/${id}`, { role: 'agent' })),
    );
    const [foreign, missing] = answers.map(answer => ({ ...answer.json(), request_id: '' }));
    expect(foreign).toEqual(missing);
    expect(foreign.status).toBe(404);
  });
});

describe('an invitation', () => {
  it('lets somebody with an account join, once', async () => {
    const [owner, guest, late] = [await person('owner'), await person(), await person()];
    const { token } = await invitation(owner);
    expect((await visit('POST', '/v1/invitations/look', { token })).json()).toMatchObject({
      workspace: { name: 'Choir' },
      role: 'agent',
    });
    expect((await guest.ask('POST', '/v1/invitations/accept', { token })).json().workspaces).toHaveLength(1);
    expect((await late.ask('POST', '/v1/invitations/accept', { token })).statusCode).toBe(422);
    expect(await roles()).toEqual({ [owner.id]: 'owner', [guest.id]: 'agent' });
  });

  it('that two accept at the same moment lets one of them in', async () => {
    const [owner, one, two] = [await person('owner'), await person(), await person()];
    const { token } = await invitation(owner);
    const answers = await Promise.all(
      [one, two].map(who => who.ask('POST', '/v1/invitations/accept', { token })),
    );
    expect(answers.map(answer => answer.statusCode).sort()).toEqual([200, 422]);
    expect(Object.keys(await roles())).toHaveLength(2);
  });

  it('lets somebody without an account make one, or leaves none behind', async () => {
    const owner = await person('owner');
    const { token } = await invitation(owner, 'host');
    const username = `new-${newId()}`;
    const joining = { token, username, name: 'Nina', password: PASSWORD };
    const joined = await visit('POST', '/v1/invitations/join', joining);
    expect(joined.json()).toMatchObject({ user: { username, name: 'Nina' }, workspaces: [{ role: 'host' }] });
    expect(joined.headers['set-cookie']).toContainEqual(expect.stringContaining('convoke_login'));
    const again = await visit('POST', '/v1/invitations/join', { ...joining, username: `${username}-2` });
    expect(again.statusCode).toBe(422);
    const made = await kernel.database.inEngine('test.users', tx =>
      tx.selectFrom('users').select('username').where('username', 'like', `${username}%`).execute(),
    );
    expect(made).toEqual([{ username }]);
  });

  it('whose name is taken stays open', async () => {
    const owner = await person('owner');
    const { token } = await invitation(owner);
    const taken = await visit('POST', '/v1/invitations/join', {
      token,
      username: await nameOf(owner),
      name: 'Nina',
      password: PASSWORD,
    });
    expect(taken.json()).toMatchObject({ status: 422, errors: [{ path: 'username' }] });
    expect((await visit('POST', '/v1/invitations/look', { token })).statusCode).toBe(200);
  });

  it('without an address needs a username, and none makes an account where nobody may', async () => {
    const owner = await person('owner');
    const { token } = await invitation(owner);
    const joining = { token, name: 'Nina', password: PASSWORD };
    const bare = await visit('POST', '/v1/invitations/join', joining);
    expect(bare.json()).toMatchObject({ status: 422, errors: [{ path: 'username' }] });
    await setSignUp('closed');
    const refused = await visit('POST', '/v1/invitations/join', { ...joining, username: `n-${newId()}` });
    await setSignUp('invitation');
    expect(refused.statusCode).toBe(403);
    expect((await visit('POST', '/v1/invitations/look', { token })).statusCode).toBe(200);
  });

  it('to an address goes there alone, and is the proof of it', async () => {
    const owner = await person('owner');
    const email = `nina-${newId()}@example.org`;
    const made = await owner.ask('POST', '/v1/invitations', { role: 'host', email });
    expect(made.json()).toMatchObject({ email, link: null });
    const mail = await mailTo(to => catcher.mails(to), email, /Join Choir/);
    const token = tokenIn(mail, '/invitation/');
    const joined = await visit('POST', '/v1/invitations/join', { token, name: 'Nina', password: PASSWORD });
    expect(joined.json()).toMatchObject({ user: { email, username: null }, workspaces: [{ role: 'host' }] });
    const again = await owner.ask('POST', '/v1/invitations', { role: 'host', email });
    expect(again.statusCode).toBe(201);
    const second = tokenIn(
      await until(() => catcher.mails(email)[1], { what: () => 'the second mail' }),
      '/invitation/',
    );
    const known = await visit('POST', '/v1/invitations/join', {
      token: second,
      name: 'Nina',
      password: PASSWORD,
    });
    expect(known.json()).toMatchObject({ status: 422, errors: [{ path: 'token' }] });
  });

  it('that a member follows stays open for whom it was meant', async () => {
    const owner = await person('owner');
    const { token } = await invitation(owner);
    expect((await owner.ask('POST', '/v1/invitations/accept', { token })).statusCode).toBe(409);
    expect((await visit('POST', '/v1/invitations/look', { token })).statusCode).toBe(200);
  });

  it('is over when it was taken back or is older than a week, and says so alike', async () => {
    const owner = await person('owner');
    const [revoked, old] = [await invitation(owner), await invitation(owner)];
    expect((await owner.ask('DELETE', `/v1/invitations/${revoked.id}`)).statusCode).toBe(204);
    expect((await owner.ask('DELETE', `/v1/invitations/${revoked.id}`)).statusCode).toBe(404);
    await kernel.database.inEngine('test.age', tx =>
      tx
        .updateTable('invitations')
        .set({ expires_at: new Date(kernel.clock.now().getTime() - 1) })
        .where('id', '=', old.id)
        .execute(),
    );
    const answers = await Promise.all(
      [revoked.token, old.token, 'nothing'].map(token => visit('POST', '/v1/invitations/look', { token })),
    );
    expect(new Set(answers.map(answer => JSON.stringify({ ...answer.json(), request_id: '' }))).size).toBe(1);
    const guest = await person();
    for (const { token } of [revoked, old])
      expect((await guest.ask('POST', '/v1/invitations/accept', { token })).statusCode).toBe(422);
    expect(await roles()).toEqual({ [owner.id]: 'owner' });
    const list = (await owner.ask('GET', '/v1/invitations')).json().data;
    expect(list.map((one: { status: string }) => one.status)).toEqual(['expired', 'revoked']);
  });

  it('is stored without its token', async () => {
    const owner = await person('owner');
    const { token } = await invitation(owner);
    const rows = await kernel.database.inEngine('test.rows', tx =>
      tx.selectFrom('invitations').selectAll().execute(),
    );
    expect(JSON.stringify([rows, (await owner.ask('GET', '/v1/invitations')).json()])).not.toContain(token);
  });
});

describe('a workspace', () => {
  it('is made by anybody where people may sign up by themselves, else by those who run the installation', async () => {
    const visitor = await person();
    const choir = { name: 'Chör & Örchester' };
    expect((await visitor.ask('POST', '/v1/workspaces', choir)).statusCode).toBe(403);
    await setSignUp('open');
    const made = [
      await visitor.ask('POST', '/v1/workspaces', choir),
      await visitor.ask('POST', '/v1/workspaces', choir),
    ];
    await setSignUp('invitation');
    expect(made.map(answer => answer.statusCode)).toEqual([201, 201]);
    const slugs = made[1]
      ?.json()
      .workspaces.map((one: { slug: string; role: string }) => [one.slug, one.role]);
    expect(slugs).toEqual([
      ['chor-orchester', 'owner'],
      ['chor-orchester-2', 'owner'],
    ]);
  });

  it('is renamed, unless the short name is taken', async () => {
    const owner = await person('owner');
    await createWorkspace(kernel, { slug: 'taken', name: 'Other' });
    const renamed = await owner.ask('PATCH', '/v1/workspace', { name: 'Big choir', slug: 'big-choir' });
    expect(renamed.json()).toMatchObject({ name: 'Big choir', slug: 'big-choir' });
    expect((await owner.ask('PATCH', '/v1/workspace', { slug: 'taken' })).statusCode).toBe(409);
  });

  it('that is deleted closes at once and can be kept by its owners', async () => {
    const [owner, admin] = [await person('owner'), await person('admin')];
    const { slug } = (await owner.ask('GET', '/v1/workspace')).json();
    expect((await admin.ask('POST', '/v1/workspace/deletion', { slug })).statusCode).toBe(403);
    expect((await owner.ask('POST', '/v1/workspace/deletion', { slug: 'another' })).statusCode).toBe(422);
    expect(closed).not.toContain(workspaceId);
    const deleted = await owner.ask('POST', '/v1/workspace/deletion', { slug });
    expect(Date.parse(deleted.json().deletion_due_at)).toBeGreaterThan(Date.now() + 13 * 86_400_000);
    expect(closed).toContain(workspaceId);
    expect((await admin.ask('GET', '/v1/workspace')).statusCode).toBe(403);
    expect((await admin.ask('GET', '/v1/me')).json().workspaces).toEqual([]);
    expect((await owner.ask('GET', '/v1/members')).json().code).toBe('illegal_state');
    expect((await owner.ask('DELETE', '/v1/workspace/deletion')).json().deletion_due_at).toBeNull();
    expect((await admin.ask('GET', '/v1/members')).statusCode).toBe(200);
  });
});

async function nameOf({ id }: Person): Promise<string> {
  const row = await kernel.database.inEngine('test.name', tx =>
    tx.selectFrom('users').select('username').where('id', '=', id).executeTakeFirstOrThrow(),
  );
  return row.username ?? '';
}
