import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { cookiesOf, type IdentityHouse, identityHouse, PASSWORD } from '../../../test/harness/identity.ts';
import { until } from '../../../test/harness/until.ts';
import {
  channelsOfKeys,
  createLinkedAdapter,
  declareKind,
  registerChannelRoutes,
} from '../../channels/index.ts';
import { registerContactRoutes } from '../../contacts/index.ts';
import { newId, registerActivityRoutes, registerLiveRoute } from '../../kernel/index.ts';
import { registerMessageRoutes } from '../../messages/index.ts';
import { actorNames } from '../actor-names.ts';
import { endEverything } from '../logins/logins.ts';
import { registerKeyRoutes } from './routes.ts';

let house: IdentityHouse;
let url: string;
let cookie: string;

beforeAll(async () => {
  house = await identityHouse();
  const adapter = createLinkedAdapter({
    sandbox: true,
    socketUrl: undefined,
    rootKey: undefined,
    log: house.kernel.log,
    paced: true,
  });
  declareKind(adapter.kind, adapter.capabilities);
  registerKeyRoutes(house.http, channelsOfKeys);
  registerChannelRoutes(house.http);
  registerContactRoutes(house.http);
  registerMessageRoutes(house.http);
  registerActivityRoutes(house.http, actorNames);
  registerLiveRoute(house.http);
  url = await house.http.listen();
});
afterAll(() => house.close());
beforeEach(async () => {
  await house.clear();
  await house.member('anna');
  cookie = await signIn('anna');
});

async function signIn(username: string): Promise<string> {
  return cookiesOf(await house.post('/v1/login', { username, password: PASSWORD }), 'convoke_login');
}

type Key = { id: string; key: string; prefix: string };

async function makeKey(more: object = {}): Promise<Key> {
  const answer = await house.post('/v1/api-keys', { name: 'Door', scopes: ['read'], ...more }, { cookie });
  expect(answer.statusCode).toBe(201);
  return answer.json();
}

const by = (key: string) => ({ 'x-api-key': key });
const status = async (path: string, headers: Record<string, string>) =>
  (await house.get(path, headers)).statusCode;
const rows = () =>
  house.kernel.database.inEngine('test.keys', tx => tx.selectFrom('api_keys').selectAll().execute());

async function newChannel(): Promise<string> {
  const made = await house.post('/v1/channels', { kind: 'linked', label: 'Choir' }, { cookie });
  return made.json().id;
}

const message = (channelId: string) => ({
  channel_id: channelId,
  to: { phone: '+491701234567' },
  content: { type: 'text', text: { body: 'hello' } },
});

describe('an API key', () => {
  it('is shown once, stored as a hash, and listed by its beginning', async () => {
    const { id, key, prefix } = await makeKey();
    expect(key).toMatch(/^cvk_[0-9A-Za-z]{38}$/);
    expect(key.startsWith(prefix)).toBe(true);
    const list = await house.get('/v1/api-keys', { cookie });
    expect(list.json().data).toEqual([
      expect.objectContaining({ id, name: 'Door', prefix, scopes: ['read'], channels: null, used_at: null }),
    ]);
    expect(list.body).not.toContain(key);
    expect(JSON.stringify(await rows())).not.toContain(key.slice(12));
  });

  it('opens its workspace by either header, and says when it was used last', async () => {
    const { key } = await makeKey();
    expect(await status('/v1/channels', by(key))).toBe(200);
    expect(await status('/v1/channels', { authorization: `Bearer ${key}` })).toBe(200);
    expect((await house.get('/v1/api-keys', { cookie })).json().data[0].used_at).not.toBeNull();
  });

  it('that is wrong in any way is nobody, whatever the cookie says', async () => {
    const { key } = await makeKey();
    for (const wrong of ['', 'x', `${key}x`, key.toUpperCase(), `cvk_${'a'.repeat(38)}`])
      expect(await status('/v1/channels', { ...by(wrong), cookie })).toBe(401);
  });

  it('does what its scopes say and nothing else', async () => {
    const channel = await newChannel();
    const keys = { read: ['read'], send: ['send'], manage: ['manage'], all: ['read', 'send', 'manage'] };
    const may: Record<string, number[]> = {};
    for (const [name, scopes] of Object.entries(keys)) {
      const { key } = await makeKey({ scopes });
      may[name] = [
        await status('/v1/channels', by(key)),
        (await house.post('/v1/messages', message(channel), by(key))).statusCode,
        (await house.send('PATCH', `/v1/channels/${channel}`, { label: name }, by(key))).statusCode,
        await status('/v1/api-keys', by(key)),
        await status('/v1/me', by(key)),
      ];
    }
    expect(may).toEqual({
      read: [200, 403, 403, 403, 403],
      send: [403, 202, 403, 403, 403],
      manage: [403, 403, 200, 403, 403],
      all: [200, 202, 200, 403, 403],
    });
  });

  it('stands in activity as who did it', async () => {
    const channel = await newChannel();
    const { id, key } = await makeKey({ scopes: ['send'] });
    await house.post('/v1/messages', message(channel), by(key));
    const facts = await house.kernel.database.inEngine('test.facts', tx =>
      tx
        .selectFrom('activity')
        .select(['type', 'actor_kind', 'actor_id'])
        .where('workspace_id', '=', house.workspaceId())
        .where('actor_kind', '=', 'api_key')
        .execute(),
    );
    expect(facts).toEqual([{ type: 'message.accepted', actor_kind: 'api_key', actor_id: id }]);
  });

  it('ends at its instant, when it is revoked, with the kill switch and with its workspace', async () => {
    const soon = new Date(house.kernel.clock.now().getTime() + 60_000).toISOString();
    const [late, gone, killed] = [await makeKey({ expires_at: soon }), await makeKey(), await makeKey()];
    expect(await status('/v1/channels', by(late.key))).toBe(200);
    house.pass(60_001);
    expect(await status('/v1/channels', by(late.key))).toBe(401);
    expect((await house.send('DELETE', `/v1/api-keys/${gone.id}`, undefined, { cookie })).statusCode).toBe(
      204,
    );
    expect(await status('/v1/channels', by(gone.key))).toBe(401);
    expect((await house.send('DELETE', `/v1/api-keys/${gone.id}`, undefined, { cookie })).statusCode).toBe(
      404,
    );
    expect(await status('/v1/channels', by(killed.key))).toBe(200);
    await house.kernel.database.inEngine('test.kill', endEverything);
    expect(await status('/v1/channels', by(killed.key))).toBe(401);
    cookie = await signIn('anna');
    const last = await makeKey();
    await house.kernel.database.inEngine('test.close', tx =>
      tx.updateTable('workspaces').set({ deletion_due_at: new Date() }).execute(),
    );
    expect(await status('/v1/channels', by(last.key))).toBe(401);
  });

  it('that is revoked while many use it opens nothing after the revocation was answered', async () => {
    const { id, key } = await makeKey();
    const stream = await fetch(`${url}/v1/live`, { headers: by(key) });
    expect(stream.status).toBe(200);
    let over = false;
    void stream.text().then(() => {
      over = true;
    });
    const uses = Array.from({ length: 6 }, () => status('/v1/channels', by(key)));
    const revoked = await house.send('DELETE', `/v1/api-keys/${id}`, undefined, { cookie });
    expect(revoked.statusCode).toBe(204);
    const after = await Promise.all(Array.from({ length: 6 }, () => status('/v1/channels', by(key))));
    expect(after).toEqual([401, 401, 401, 401, 401, 401]);
    for (const one of await Promise.all(uses)) expect([200, 401]).toContain(one);
    await until(() => over, { within: 5_000, what: () => 'the end of the stream' });
  });

  it('is of one workspace: another looks as if it were not there', async () => {
    const { key } = await makeKey();
    expect(await status('/v1/channels?workspace=demo', by(key))).toBe(200);
    const other = newId();
    await house.kernel.database.inEngine('test.other', tx =>
      tx.insertInto('workspaces').values({ id: other, slug: 'other', name: 'Other' }).execute(),
    );
    expect(await status('/v1/channels?workspace=other', by(key))).toBe(404);
    expect(await status('/v1/channels', { ...by(key), 'convoke-workspace': other })).toBe(404);
  });

  it('is made, renamed and revoked by owners and admins only, and tells so', async () => {
    const { id } = await makeKey();
    await house.member('vera', 'viewer');
    const viewer = { cookie: await signIn('vera') };
    expect(await status('/v1/api-keys', viewer)).toBe(403);
    expect((await house.send('DELETE', `/v1/api-keys/${id}`, undefined, viewer)).statusCode).toBe(403);
    const renamed = await house.send('PATCH', `/v1/api-keys/${id}`, { name: 'Back door' }, { cookie });
    expect(renamed.json()).toMatchObject({ id, name: 'Back door' });
    expect((await house.send('PATCH', `/v1/api-keys/${newId()}`, { name: 'x' }, { cookie })).statusCode).toBe(
      404,
    );
    await house.send('DELETE', `/v1/api-keys/${id}`, undefined, { cookie });
    const facts = await house.kernel.database.inEngine('test.facts', tx =>
      tx.selectFrom('activity').select('type').where('subject_id', '=', id).orderBy('id').execute(),
    );
    expect(facts.map(({ type }) => type)).toEqual(['key.created', 'key.renamed', 'key.revoked']);
  });
});

describe('an API key for some channels', () => {
  it('sees and uses those, and of the others as much as of missing ones', async () => {
    const [mine, foreign] = [await newChannel(), await newChannel()];
    const all = await makeKey({ scopes: ['read', 'send'] });
    const { key } = await makeKey({ scopes: ['read', 'send'], channels: [mine] });
    const idOf = async (channel: string) =>
      (await house.post('/v1/messages', message(channel), by(all.key))).json().id as string;
    const [ours, theirs] = [await idOf(mine), await idOf(foreign)];

    expect(
      (await house.get('/v1/channels', by(key))).json().data.map((one: { id: string }) => one.id),
    ).toEqual([mine]);
    expect(
      (await house.get('/v1/messages', by(key))).json().data.map((one: { id: string }) => one.id),
    ).toEqual([ours]);
    const same = async (path: string, method: 'GET' | 'DELETE' | 'POST' = 'GET', body?: object) => {
      const [there, missing] = [
        await house.send(method, path, body, by(key)),
        await house.send(method, path.replace(foreign, newId()).replace(theirs, newId()), body, by(key)),
      ];
      expect(there.statusCode).toBe(404);
      expect({ ...there.json(), request_id: '' }).toEqual({ ...missing.json(), request_id: '' });
    };
    await same(`/v1/channels/${foreign}`);
    await same(`/v1/channels/${foreign}/pacing`);
    await same(`/v1/messages/${theirs}`);
    await same(`/v1/messages/${theirs}`, 'DELETE');
    await same(`/v1/messages/${theirs}/resolve`, 'POST', { as: 'give_up' });
    const [refused, missing] = [
      await house.post('/v1/messages', message(foreign), by(key)),
      await house.post('/v1/messages', message(newId()), by(key)),
    ];
    expect(refused.statusCode).toBe(422);
    expect({ ...refused.json(), request_id: '' }).toEqual({ ...missing.json(), request_id: '' });
    expect((await house.post('/v1/messages', message(mine), by(key))).statusCode).toBe(202);
    expect((await house.get(`/v1/messages/${ours}`, by(key))).statusCode).toBe(200);
    expect((await house.send('DELETE', `/v1/messages/${ours}`, undefined, by(key))).statusCode).toBe(204);
  });

  it('does not see groups and parkings of others, and nothing that tells of all', async () => {
    const [mine, foreign] = [await newChannel(), await newChannel()];
    const groupOf = async (channelId: string) => {
      const id = newId();
      await house.kernel.database.inEngine('test.group', tx =>
        tx
          .insertInto('groups')
          .values({
            workspace_id: house.workspaceId(),
            id,
            channel_id: channelId,
            provider_id: id,
            subject: 'Team',
          })
          .execute(),
      );
      return id;
    };
    const [group, hidden] = [await groupOf(mine), await groupOf(foreign)];
    for (const channelId of [mine, foreign])
      await house.post('/v1/parking', { channel_id: channelId, reason: 'Later' }, { cookie });
    const { key } = await makeKey({ scopes: ['read', 'send', 'manage'], channels: [mine] });
    const listed = (await house.get('/v1/groups', by(key))).json().data as { id: string }[];
    expect(listed.map(one => one.id)).toEqual([group]);
    const parkings = (await house.get('/v1/parking', by(key))).json().data as { channel_id: string }[];
    expect(parkings.map(one => one.channel_id)).toEqual([mine]);
    const toGroup = (id: string) => ({ ...message(mine), to: { group_id: id } });
    expect((await house.post('/v1/messages', toGroup(hidden), by(key))).statusCode).toBe(422);
    for (const path of ['/v1/activity', '/v1/live', '/v1/opt-outs', '/v1/contacts'])
      expect(await status(path, by(key))).toBeGreaterThan(400);
    expect((await house.send('PATCH', `/v1/channels/${mine}`, { label: 'x' }, by(key))).statusCode).toBe(403);
  });

  it('names channels of the workspace only, and loses one that is removed', async () => {
    const before = (await rows()).length;
    const refused = await house.post(
      '/v1/api-keys',
      { name: 'x', scopes: ['read'], channels: [newId()] },
      { cookie },
    );
    expect(refused.json()).toMatchObject({ status: 422, errors: [{ path: 'channels' }] });
    expect(await rows()).toHaveLength(before);
    const mine = await newChannel();
    const { key } = await makeKey({ channels: [mine, mine] });
    expect((await house.get('/v1/api-keys', { cookie })).json().data[0].channels).toEqual([mine]);
    await house.send('DELETE', `/v1/channels/${mine}`, undefined, { cookie });
    expect((await house.get('/v1/channels', by(key))).json().data).toEqual([]);
  });
});
