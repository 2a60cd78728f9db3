import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { doorHouse, loginCookieIn, PASSWORD } from '../../test/harness/doors.ts';
import { createCommands } from '../kernel/index.ts';
import { registerIdentityCommands } from './commands.ts';
import { prepareFirstStart } from './first-start.ts';
import { createWorkspace } from './workspaces/workspaces.ts';

const house = doorHouse();
const { post, get, member, signIn } = house;

describe('the first start', () => {
  beforeEach(() =>
    house.kernel.database.inEngine('test.clear', async tx => {
      await tx.deleteFrom('workspaces').execute();
    }),
  );

  it('makes an owner without a password, and a link that works once', async () => {
    const first = await prepareFirstStart(house.kernel);
    expect(first).toMatchObject({ username: 'admin', token: expect.stringMatching(/^[A-Za-z0-9_-]{43}$/) });
    const token = first?.token ?? '';
    expect((await post('/v1/setup', { token, password: 'short' })).json()).toMatchObject({
      status: 422,
      errors: [{ path: 'password' }],
    });
    const done = await post('/v1/setup', { token, password: PASSWORD });
    expect(done.json()).toMatchObject({
      user: { username: 'admin' },
      workspaces: [{ slug: 'main', role: 'owner' }],
    });
    const cookie = loginCookieIn(done);
    expect((await get('/v1/me', { cookie })).statusCode).toBe(200);
    expect((await post('/v1/setup', { token, password: PASSWORD })).json()).toMatchObject({
      status: 422,
      errors: [{ path: 'token' }],
    });
    expect(await signIn('admin')).toContain('convoke_login=');
    expect(await prepareFirstStart(house.kernel)).toBeUndefined();
  });

  it('repeated before that gives another link to the same owner', async () => {
    const [one, two] = [await prepareFirstStart(house.kernel), await prepareFirstStart(house.kernel)];
    expect(one?.token).not.toBe(two?.token);
    expect((await post('/v1/setup', { token: two?.token, password: PASSWORD })).statusCode).toBe(200);
    expect((await post('/v1/setup', { token: one?.token, password: PASSWORD })).statusCode).toBe(422);
  });

  it('on several nodes at once makes one owner', async () => {
    const all = await Promise.all(Array.from({ length: 4 }, () => prepareFirstStart(house.kernel)));
    expect(all.every(first => first?.username === 'admin')).toBe(true);
    const users = await house.kernel.database.inEngine('test.users', tx =>
      tx.selectFrom('users').select('id').execute(),
    );
    expect(users).toHaveLength(1);
  });

  it('gives links that end after a day, and works once when two follow it at the same time', async () => {
    const first = await prepareFirstStart(house.kernel);
    const both = await Promise.all(
      [1, 2].map(() => post('/v1/setup', { token: first?.token, password: PASSWORD })),
    );
    expect(both.map(answer => answer.statusCode).sort((a, b) => a - b)).toEqual([200, 422]);
    await house.kernel.database.inEngine('test.unset', tx =>
      tx.updateTable('users').set({ password_hash: null }).execute(),
    );
    const late = await prepareFirstStart(house.kernel);
    await house.kernel.database.inEngine('test.age', tx =>
      tx
        .updateTable('user_links')
        .set({ expires_at: new Date(house.kernel.clock.now().getTime() - 1) })
        .execute(),
    );
    expect((await post('/v1/setup', { token: late?.token, password: PASSWORD })).statusCode).toBe(422);
  });
});

describe('the commands of the operator', () => {
  const commands = createCommands();
  beforeAll(() => registerIdentityCommands(commands, house.kernel));

  it('set a password and end all logins', async () => {
    await member('anna');
    const cookie = await signIn('anna');
    expect(
      await commands.run('set-password', { username: 'Anna', password: 'another good password' }),
    ).toContain('new password');
    expect((await get('/v1/me', { cookie })).statusCode).toBe(401);
    expect((await post('/v1/login', { username: 'anna', password: PASSWORD })).statusCode).toBe(401);
    expect(await signIn('anna', 'another good password')).toContain('convoke_login=');
  });

  it('create users of the only workspace, or of the one that is named', async () => {
    await commands.run('create-user', { username: 'bob', password: PASSWORD, role: 'viewer' });
    expect((await get('/v1/where', { cookie: await signIn('bob') })).json().workspace_id).toBe(
      house.workspaceId,
    );
    await createWorkspace(house.kernel, { slug: 'other', name: 'Other' });
    await expect(commands.run('create-user', { username: 'cara', password: PASSWORD })).rejects.toThrow(
      '--workspace',
    );
    await expect(
      commands.run('create-user', { username: 'cara', password: PASSWORD, workspace: 'nope' }),
    ).rejects.toThrow('demo, other');
    await commands.run('create-user', { username: 'cara', password: PASSWORD, workspace: 'other' });
  });

  it.each([
    ['set-password', { username: 'nobody', password: PASSWORD }, 'There is no user "nobody"'],
    ['set-password', { username: 'anna', password: 'short' }, 'at least 10 characters'],
    ['create-user', { username: 'a b', password: PASSWORD }, 'letters, digits'],
    ['create-user', { username: 'bob', password: PASSWORD, role: 'king' }, 'role'],
    ['make-coffee', {}, 'does not know the command'],
  ])('%s %j is refused', async (name, input, words) => {
    await expect(commands.run(name, input)).rejects.toThrow(words);
  });

  it('leave nothing behind when the name is taken', async () => {
    await member('anna');
    await expect(commands.run('create-user', { username: 'ANNA', password: PASSWORD })).rejects.toThrow(
      'There is a user "ANNA" already',
    );
    const members = await house.kernel.database.inEngine('test.members', tx =>
      tx.selectFrom('members').select('user_id').execute(),
    );
    expect(members).toHaveLength(1);
  });
});
