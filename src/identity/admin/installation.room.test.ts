import { describe, expect, it } from 'vitest';
import type { z } from 'zod';
import { consoleHouse, PASSWORD } from '../../../test/harness/console.ts';
import { until } from '../../../test/harness/until.ts';
import { mintScope, newId } from '../../kernel/index.ts';
import { addMember, createWorkspace, deleteWorkspace } from '../workspaces/workspaces.ts';
import type { AdminWorkspacePage, Settings } from './schema.ts';
import { createMaintenance } from './settings.ts';

const house = consoleHouse();
const { call, signIn, user, facts, admins, writesAnswer, commands } = house;

describe('workspaces', () => {
  it('are listed with their members, closed with the name typed once more, and kept after all', async () => {
    const id = await createWorkspace(house.kernel, { slug: 'demo', name: 'Demo' });
    await addMember(house.kernel, { workspaceId: id, userId: house.anna.id, role: 'owner' });
    const list = await call<z.output<typeof AdminWorkspacePage>>('GET', '/v1/admin/workspaces?search=dem');
    expect(list.body.data).toMatchObject([{ id, slug: 'demo', members: 1, deletion_due_at: null }]);
    const path = `/v1/admin/workspaces/${id}/deletion`;
    expect((await call('POST', path, { slug: 'dem' })).status).toBe(422);
    expect(house.closed).toEqual([]);
    expect((await call('POST', path, { slug: 'demo' })).body).toMatchObject({
      deletion_due_at: expect.any(String),
    });
    expect(house.closed).toEqual([id]);
    expect((await call('DELETE', path, {})).body).toMatchObject({ deletion_due_at: null });
    expect((await call('POST', path.replace(id, newId()), { slug: 'demo' })).status).toBe(404);
    expect((await facts()).slice(0, 2)).toMatchObject([
      { type: 'admin.workspace_kept', subject_id: id },
      { type: 'admin.workspace_deletion_asked', subject_id: id, payload: { slug: 'demo' } },
    ]);
  });
});

describe('a closed workspace whose only owner has deleted the account', () => {
  const close = async () => {
    const id = await createWorkspace(house.kernel, { slug: 'demo', name: 'Demo' });
    const owner = await user('owner');
    await addMember(house.kernel, { workspaceId: id, userId: owner.id, role: 'owner' });
    await deleteWorkspace(mintScope(house.kernel, id, { kind: 'user', id: owner.id }), 'demo');
    return { id, cookie: owner.cookie, path: `/v1/admin/workspaces/${id}/deletion` };
  };
  const leave = async (cookie: string) =>
    expect((await call('DELETE', '/v1/me', { password: PASSWORD }, cookie)).status).toBe(204);

  it('is kept by an admin; whoever of the highest role has been there longest owns it from then on', async () => {
    const { id, cookie, path } = await close();
    const [viewer, second, first] = [await user('viewer'), await user('second'), await user('first')];
    await addMember(house.kernel, { workspaceId: id, userId: viewer.id, role: 'viewer' });
    await addMember(house.kernel, { workspaceId: id, userId: first.id, role: 'agent' });
    await addMember(house.kernel, { workspaceId: id, userId: second.id, role: 'agent' });
    await leave(cookie);
    expect((await call('DELETE', path, {})).body).toMatchObject({ deletion_due_at: null, members: 3 });
    const { owners, told } = await house.kernel.database.inEngine('test.owners', async tx => ({
      owners: await tx
        .selectFrom('members')
        .select('user_id')
        .where('workspace_id', '=', id)
        .where('role', '=', 'owner')
        .execute(),
      told: await tx
        .selectFrom('activity')
        .select(['actor_id', 'subject_id', 'payload'])
        .where('workspace_id', '=', id)
        .where('type', '=', 'member.role_changed')
        .execute(),
    }));
    expect(owners).toEqual([{ user_id: first.id }]);
    const payload = { before: { role: 'agent' }, after: { role: 'owner' } };
    expect(told).toEqual([{ actor_id: house.anna.id, subject_id: first.id, payload }]);
  });

  it('is kept where nobody is left once the command that is named has added an owner', async () => {
    const { cookie, path } = await close();
    await leave(cookie);
    const refused = await call('DELETE', path, {});
    expect(refused.body).toMatchObject({ code: 'illegal_state' });
    expect(refused.body.detail).toMatch(/create-user .*--role owner --workspace demo$/);
    const heir = { username: 'heir', password: PASSWORD, role: 'owner', workspace: 'demo' };
    await commands.run('create-user', heir);
    expect((await call('DELETE', path, {})).body).toMatchObject({ deletion_due_at: null, members: 1 });
  });
});

describe('what is decided for all', () => {
  it('is who may sign up and what they agree to, told with before and after', async () => {
    const terms = { version: '2', url: 'https://convoke.example.org/terms' };
    const changed = await call<Settings>('PATCH', '/v1/admin/settings', { sign_up: 'open', terms });
    expect(changed.body).toEqual({ sign_up: 'open', terms, maintenance: null });
    expect((await facts())[0]).toMatchObject({
      type: 'admin.settings_changed',
      payload: { before: { sign_up: 'invitation', terms: null }, after: { sign_up: 'open', terms } },
    });
    expect((await call<Settings>('PATCH', '/v1/admin/settings', { terms: null })).body.sign_up).toBe('open');
    for (const url of ['javascript:alert(1)', 'terms.html'])
      expect((await call('PATCH', '/v1/admin/settings', { terms: { version: '3', url } })).status).toBe(422);
  });

  it('is the kill switch, which ends every login at once, also of who pressed it', async () => {
    const bob = await user('bob');
    expect((await call('POST', '/v1/admin/logout', {})).status).toBe(204);
    for (const { cookie } of [house.anna, bob])
      expect((await call('GET', '/v1/me', undefined, cookie)).status).toBe(401);
    expect((await facts())[0]).toMatchObject({ type: 'admin.all_logins_ended', actor_id: house.anna.id });
    expect((await call('GET', '/v1/me', undefined, await signIn('bob'))).status).toBe(200);
  });
});

describe('maintenance', () => {
  it('refuses what would change something, and lets people read, sign in, sign out and end it', async () => {
    const bob = await user('bob');
    const begun = await call<Settings>('POST', '/v1/admin/maintenance', { note: 'Back at ten.' });
    expect(begun.body.maintenance).toMatchObject({ note: 'Back at ten.' });
    await writesAnswer(503);
    const refused = await call('POST', '/v1/write', {}, bob.cookie);
    expect(refused.body).toMatchObject({
      status: 503,
      code: 'maintenance',
      note: 'Back at ten.',
      detail: expect.stringContaining('Back at ten.'),
    });
    expect(refused.headers['retry-after']).toBe('60');
    expect((await call('POST', '/v1/setup', { token: 'x', password: PASSWORD }, '')).status).toBe(503);
    expect((await call('GET', '/v1/me', undefined, bob.cookie)).status).toBe(200);
    expect((await call('POST', '/v1/logout', {}, bob.cookie)).status).toBe(204);
    const cookie = await signIn('bob');
    expect((await call('POST', '/v1/write', {}, cookie)).status).toBe(503);
    expect((await call('PATCH', '/v1/admin/settings', {}, cookie)).status).toBe(404);
    expect((await call<Settings>('DELETE', '/v1/admin/maintenance', {})).body.maintenance).toBeNull();
    await writesAnswer(200, cookie);
    expect((await facts()).slice(0, 2).map(fact => fact.type)).toEqual([
      'admin.maintenance_ended',
      'admin.maintenance_began',
    ]);
  });

  it('is heard of by the other nodes at once', async () => {
    const there = createMaintenance(house.other, 3_600_000);
    expect(await there()).toBeUndefined();
    await commands.run('maintenance', { mode: 'on', note: 'Soon over.' });
    await until(async () => (await there())?.note === 'Soon over.');
    await commands.run('maintenance', { mode: 'off' });
    await until(async () => (await there()) === undefined);
  });

  it('counts after a second where the wake-up was lost', async () => {
    const here = createMaintenance(house.other);
    expect(await here()).toBeUndefined();
    const from = performance.now();
    await house.kernel.database.inEngine('test.maintenance', tx =>
      tx.updateTable('instance_settings').set({ maintenance_since: new Date() }).execute(),
    );
    await until(async () => (await here()) !== undefined);
    expect(performance.now() - from).toBeLessThan(5_000);
  });

  it('asks the database once for many writes', async () => {
    let reads = 0;
    const database = Object.create(house.kernel.database) as typeof house.kernel.database;
    database.inEngine = (...args) => {
      reads += 1;
      return house.kernel.database.inEngine(
        ...(args as Parameters<typeof house.kernel.database.inEngine>),
      ) as never;
    };
    const here = createMaintenance({ ...house.kernel, database }, 60_000);
    await Promise.all(Array.from({ length: 50 }, () => here()));
    expect(reads).toBe(1);
  });
});

describe('the commands of the operator', () => {
  it('promote, demote and list users', async () => {
    await user('bob');
    expect(await commands.run('promote', { user: 'bob' })).toContain('bob runs this Convoke now');
    expect(await commands.run('list-users', {})).toMatch(
      /^bob {2}\(admin, 0 workspaces, seen .*\nanna {2}\(admin/,
    );
    expect(await commands.run('list-users', { search: 'ann' })).toMatch(/^anna /);
    expect(await commands.run('demote', { user: 'BOB' })).toContain('no admin');
    expect((await admins()).map(one => one.username)).toEqual(['anna']);
    await expect(commands.run('promote', { user: 'nobody' })).rejects.toThrow('There is no user "nobody".');
    expect((await facts())[0]).toMatchObject({ type: 'admin.user_demoted', actor_id: null, address: null });
  });

  it('end the logins of one user or of everybody', async () => {
    const bob = await user('bob');
    await commands.run('revoke-logins', { user: 'bob' });
    expect((await call('GET', '/v1/me', undefined, bob.cookie)).status).toBe(401);
    expect((await call('GET', '/v1/me')).status).toBe(200);
    expect(await commands.run('revoke-logins', {})).toContain('Every login');
    expect((await call('GET', '/v1/me')).status).toBe(401);
  });

  it('begin and end maintenance, and choose who may sign up', async () => {
    await commands.run('maintenance', { mode: 'on', note: 'Back at ten.' });
    await writesAnswer(503);
    await commands.run('maintenance', { mode: 'off' });
    await writesAnswer(200);
    expect(await commands.run('sign-up', { mode: 'closed' })).toBe('Nobody may make an account now.');
    expect((await call<Settings>('GET', '/v1/admin/settings')).body.sign_up).toBe('closed');
    await expect(commands.run('sign-up', { mode: 'ajar' })).rejects.toThrow();
  });
});
