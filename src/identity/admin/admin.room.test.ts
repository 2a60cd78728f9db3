import { describe, expect, it } from 'vitest';
import type { z } from 'zod';
import { consoleHouse, type Method, PASSWORD, withoutRequestId } from '../../../test/harness/console.ts';
import { addJob, INSTANCE, mintScope, newId } from '../../kernel/index.ts';
import { createKey, listKeys } from '../keys/service.ts';
import { createUser } from '../users.ts';
import { invite, lookAtInvitation } from '../workspaces/invitations.ts';
import { addMember, createWorkspace } from '../workspaces/workspaces.ts';
import type { AdminUserPage } from './schema.ts';
import { mailLink } from './users.ts';

const house = consoleHouse();
const { call, user, facts } = house;

describe('the console', () => {
  it('is not there for anybody but its admins, whatever is asked of it', async () => {
    const bob = await user('bob');
    const known: [Method, string][] = Object.entries(house.http.app.swagger().paths ?? {}).flatMap(
      ([path, item]) =>
        Object.entries(item as object)
          .filter(([, operation]) => operation['x-permission'] === 'admin')
          .map(([method]): [Method, string] => [
            method.toUpperCase() as Method,
            path.replace('{id}', method === 'patch' ? house.anna.id : bob.id),
          ]),
    );
    expect(known.length).toBeGreaterThanOrEqual(16);
    for (const cookie of [bob.cookie, '', 'convoke_login=x']) {
      for (const [method, path] of known) {
        const [there, missing] = await Promise.all([
          call(method, path, method === 'GET' ? undefined : {}, cookie),
          call(method, '/v1/admin-of-nothing', method === 'GET' ? undefined : {}, cookie),
        ]);
        expect(there.status).toBe(404);
        expect(withoutRequestId(there.body)).toEqual(withoutRequestId(missing.body));
        const names = (headers: object) => Object.keys(headers).filter(name => name !== 'content-length');
        expect(names(there.headers)).toEqual(names(missing.headers));
      }
      expect((await call('DELETE', '/v1/admin/settings', {}, cookie)).status).toBe(404);
    }
    expect((await facts()).filter(fact => fact.actor_id === bob.id)).toEqual([]);
  });

  it('closes at once for who is demoted or locked', async () => {
    const bob = await user('bob', { isAdmin: true });
    expect((await call('GET', '/v1/admin/settings', undefined, bob.cookie)).status).toBe(200);
    expect((await call('PATCH', `/v1/admin/users/${bob.id}`, { is_admin: false })).status).toBe(200);
    expect((await call('GET', '/v1/admin/settings', undefined, bob.cookie)).status).toBe(404);
  });

  it('keeps what was done there, by whom and from where, away from all workspaces', async () => {
    const bob = await user('bob');
    await call('PATCH', `/v1/admin/users/${bob.id}`, { is_admin: true });
    expect((await facts())[0]).toEqual({
      type: 'admin.user_promoted',
      actor_id: house.anna.id,
      address: '127.0.0.1',
      subject_id: bob.id,
      payload: {},
    });
    // Not sealed here: nobody runs the sealer. The page answers all the same.
    expect((await call('GET', '/v1/admin/activity?type=admin.')).body).toMatchObject({ data: [] });
  });
});

describe('users', () => {
  it('are listed in pages, and found by a part of any name, taken as it is typed', async () => {
    for (const name of ['bob', 'bert', 'carl_x']) await createUser(house.kernel, { username: name });
    const page = (query: string) =>
      call<z.output<typeof AdminUserPage>>('GET', `/v1/admin/users?${query}`).then(answer => answer.body);
    const names = async (query: string) => (await page(query)).data.map(one => one.username);
    expect(await names('')).toEqual(['carl_x', 'bert', 'bob', 'anna']);
    expect(await names('search=B')).toEqual(['bert', 'bob']);
    expect(await names('search=l_x')).toEqual(['carl_x']);
    expect(await names('search=%25')).toEqual([]);
    const first = await page('limit=3');
    expect(first.data).toHaveLength(3);
    expect(await names(`limit=3&cursor=${first.page.next_cursor}`)).toEqual(['anna']);
    expect((await page('search=anna')).data[0]).toMatchObject({
      id: house.anna.id,
      is_admin: true,
      has_password: true,
      has_second_factor: false,
      workspaces: 0,
      locked_at: null,
      seen_at: expect.any(String),
    });
  });

  it('are added without a password, which they choose at a link that works once', async () => {
    const added = await call<{ user: { id: string; has_password: boolean }; link: { path: string } }>(
      'POST',
      '/v1/admin/users',
      { username: 'bob' },
    );
    expect(added.status).toBe(201);
    expect(added.body.user.has_password).toBe(false);
    const token = added.body.link.path.split('/setup/')[1];
    expect((await call('POST', '/v1/setup', { token, password: PASSWORD }, '')).status).toBe(200);
    expect((await call('POST', '/v1/setup', { token, password: PASSWORD }, '')).status).toBe(422);
    expect((await call('POST', '/v1/admin/users', { username: 'BOB' })).body.code).toBe('conflict');
    const again = await call<{ path: string }>('POST', `/v1/admin/users/${added.body.user.id}/link`, {});
    const second = again.body.path.split('/setup/')[1];
    expect((await call('POST', '/v1/setup', { token: second, password: `${PASSWORD}2` }, '')).status).toBe(
      200,
    );
    expect((await call('POST', `/v1/admin/users/${newId()}/link`, {})).status).toBe(404);
  });

  it('that are locked are out at once, and stay signed out when they are unlocked', async () => {
    const bob = await user('bob');
    await call('PATCH', `/v1/admin/users/${bob.id}`, { locked: true });
    expect((await call('GET', '/v1/me', undefined, bob.cookie)).status).toBe(401);
    expect((await call('POST', '/v1/login', { username: 'bob', password: PASSWORD }, '')).status).toBe(401);
    await call('PATCH', `/v1/admin/users/${bob.id}`, { locked: false });
    expect((await call('GET', '/v1/me', undefined, bob.cookie)).status).toBe(401);
    expect((await call('POST', '/v1/login', { username: 'bob', password: PASSWORD }, '')).status).toBe(200);
    expect((await facts()).slice(0, 2).map(fact => fact.type)).toEqual([
      'admin.user_unlocked',
      'admin.user_locked',
    ]);
  });

  it('are mailed a link where they have an address', async () => {
    const bob = await user('bob');
    const send = () => call('POST', `/v1/admin/users/${bob.id}/mail`, {});
    expect((await send()).body.code).toBe('illegal_state');
    await house.kernel.database.inEngine('test.email', tx =>
      tx.updateTable('users').set({ email: 'bob@example.org' }).where('id', '=', bob.id).execute(),
    );
    const by = { actor: { kind: 'user', id: house.anna.id } as const, address: '127.0.0.1' };
    await expect(mailLink(house.other, by, bob.id)).rejects.toThrow(/^No mail leaves/);
    expect((await send()).status).toBe(204);
    const jobs = await house.kernel.database.inEngine('test.jobs', tx =>
      tx.selectFrom('jobs').select(['name', 'payload']).where('name', '=', 'identity.reset_mail').execute(),
    );
    expect(jobs).toEqual([{ name: 'identity.reset_mail', payload: { name: 'bob@example.org' } }]);
    expect((await facts())[0]).toMatchObject({ type: 'admin.link_mailed', subject_id: bob.id });
  });

  it('are signed out everywhere, and only they', async () => {
    const [bob, carl] = [await user('bob'), await user('carl')];
    expect((await call('POST', `/v1/admin/users/${bob.id}/logout`, {})).status).toBe(204);
    expect((await call('GET', '/v1/me', undefined, bob.cookie)).status).toBe(401);
    expect((await call('GET', '/v1/me', undefined, carl.cookie)).status).toBe(200);
  });

  it('are deleted by who types the name once more, unless nobody else owns a workspace of theirs', async () => {
    const bob = await user('bob');
    const id = await createWorkspace(house.kernel, { slug: 'demo', name: 'Demo' });
    await addMember(house.kernel, { workspaceId: id, userId: bob.id, role: 'owner' });
    const drop = (confirm: string) => call('DELETE', `/v1/admin/users/${bob.id}`, { confirm });
    expect((await drop('bo')).body.code).toBe('validation_failed');
    expect((await drop('bob')).body).toMatchObject({
      code: 'illegal_state',
      detail: expect.stringContaining('demo'),
    });
    await addMember(house.kernel, { workspaceId: id, userId: house.anna.id, role: 'owner' });
    expect((await drop('bob')).status).toBe(204);
    expect((await call('GET', '/v1/me', undefined, bob.cookie)).status).toBe(401);
    expect((await drop('bob')).status).toBe(404);
    expect((await facts())[0]).toMatchObject({ type: 'admin.user_deleted', payload: {} });
  });

  it('that are deleted leave nothing that opens, and their name in no fact of the installation', async () => {
    const added = await call<{ user: { id: string } }>('POST', '/v1/admin/users', { username: 'bob' });
    const bob = added.body.user.id;
    const workspaceId = await createWorkspace(house.kernel, { slug: 'demo', name: 'Demo' });
    await addMember(house.kernel, { workspaceId, userId: bob, role: 'admin' });
    const scope = mintScope(house.kernel, workspaceId, { kind: 'user', id: bob });
    const held = { hold: async () => undefined, of: async () => new Map() };
    await createKey(scope, { name: 'Mine', scopes: ['read'] }, held);
    const { token } = await invite(scope, { role: 'viewer' });
    await house.kernel.database.inEngine('test.job', tx =>
      addJob(tx, 'identity.reset_mail', { name: 'Bob' }),
    );
    expect((await call('DELETE', `/v1/admin/users/${bob}`, { confirm: 'bob' })).status).toBe(204);
    expect(await listKeys(scope, held)).toEqual([]);
    await expect(lookAtInvitation(house.kernel, token ?? '')).rejects.toMatchObject({ status: 422 });
    const { told, jobs } = await house.kernel.database.inEngine('test.left', async tx => ({
      told: await tx
        .selectFrom('activity')
        .select(['type', 'actor_id', 'payload'])
        .where('workspace_id', 'in', [workspaceId, INSTANCE])
        .where('type', 'in', ['key.revoked', 'member.removed', 'admin.user_added'])
        .where(where => where.or([where('workspace_id', '=', workspaceId), where('subject_id', '=', bob)]))
        .orderBy('type')
        .execute(),
      jobs: await tx.selectFrom('jobs').select('payload').execute(),
    }));
    const by = house.anna.id;
    expect(told).toEqual([
      { type: 'admin.user_added', actor_id: by, payload: null },
      { type: 'key.revoked', actor_id: by, payload: { name: 'Mine' } },
      { type: 'member.removed', actor_id: by, payload: { before: { role: 'admin' } } },
    ]);
    expect(jobs).not.toContainEqual({ payload: { name: 'Bob' } });
  });
});
