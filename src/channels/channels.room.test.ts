import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type TestKernel, testKernel, testWorkspace } from '../../test/harness/database.ts';
import { createHttp, type Http, inWorkspace, newId, type Scope } from '../kernel/index.ts';
import { pairingSeal } from './queries.ts';
import { registerChannelRoutes } from './routes.ts';
import type { Channel, Pairing } from './schema.ts';

describe('channels over HTTP, with nobody who drives them', () => {
  let kernel: TestKernel;
  let http: Http;
  let scope: Scope;
  let other: Scope;

  beforeAll(async () => {
    kernel = await testKernel();
    http = await createHttp(kernel, {
      enter: async request => (request.headers['x-workspace'] === 'other' ? other : scope),
      user: async () => newId(),
    });
    registerChannelRoutes(http);
    await http.app.ready();
  });
  afterAll(async () => {
    await http.close();
    await kernel.close();
  });
  beforeEach(async () => {
    scope = await testWorkspace(kernel);
    other = await testWorkspace(kernel);
  });

  async function call<T>(
    method: 'GET' | 'POST' | 'PATCH' | 'DELETE',
    url: string,
    body?: object,
    headers: Record<string, string> = {},
  ) {
    const answer = await http.app.inject({ method, url, headers, ...(body ? { payload: body } : {}) });
    const isJson = String(answer.headers['content-type']).includes('json');
    return {
      status: answer.statusCode,
      body: (isJson ? answer.json() : answer.body) as T,
      headers: answer.headers,
    };
  }

  async function newChannel(label = 'School'): Promise<Channel> {
    return (await call<Channel>('POST', '/v1/channels', { kind: 'linked', label })).body;
  }

  it('creates, reads, lists and renames', async () => {
    const created = await call<Channel>('POST', '/v1/channels', { kind: 'linked', label: '  School  ' });
    expect(created.status).toBe(201);
    expect(created.body).toMatchObject({
      label: 'School',
      kind: 'linked',
      status: 'unpaired',
      phone: null,
      version: 1,
      capabilities: { content: ['text'], groups: true, pairing: ['qr', 'code'] },
    });
    const at = `/v1/channels/${created.body.id}`;
    const renamed = await call<Channel>('PATCH', at, { label: 'Sports' }, { 'if-match': '"1"' });
    expect(renamed.body).toMatchObject({ label: 'Sports', version: 2 });
    expect(renamed.headers.etag).toBe('"2"');
    const second = await newChannel('Choir');
    const { body } = await call<{ data: Channel[]; page: { next_cursor: string | null } }>(
      'GET',
      '/v1/channels?limit=1',
    );
    expect(body.data.map(({ id }) => id)).toEqual([second.id]);
    const next = await call<{ data: Channel[] }>('GET', `/v1/channels?cursor=${body.page.next_cursor}`);
    expect(next.body.data.map(({ label }) => label)).toEqual(['Sports']);
  });

  it('lets one of many renames of the same version win', async () => {
    const { id } = await newChannel();
    const tries = await Promise.all(
      Array.from({ length: 10 }, (_, i) =>
        call('PATCH', `/v1/channels/${id}`, { label: `Try ${i}` }, { 'if-match': '"1"' }),
      ),
    );
    expect(tries.map(({ status }) => status).sort()).toEqual([200, ...Array(9).fill(412)]);
    expect(tries.find(({ status }) => status === 412)?.body).toMatchObject({ code: 'version_conflict' });
  });

  it.each([
    [{ kind: 'linked' }, 'label'],
    [{ kind: 'linked', label: '   ' }, 'label'],
    [{ kind: 'pigeon', label: 'x' }, 'kind'],
    [{ kind: 'linked', label: 'x'.repeat(81) }, 'label'],
  ])('names the field that is wrong in %o', async (body, path) => {
    const answer = await call<{ errors: { path: string }[] }>('POST', '/v1/channels', body);
    expect(answer.status).toBe(422);
    expect(answer.body.errors.map(error => error.path)).toContain(path);
  });

  it('shows a pairing: its code only while it is on show, as text and as a picture', async () => {
    const { id } = await newChannel();
    const at = `/v1/channels/${id}/pairing`;
    expect((await call('GET', at)).status).toBe(404);
    const started = await call<Pairing>('POST', at);
    expect(started.status).toBe(201);
    expect(started.body).toMatchObject({ method: 'qr', step: 'starting' });
    const lasts = Date.parse(started.body.expires_at) - Date.parse(started.body.started_at);
    expect(lasts).toBe(5 * 60_000);
    expect((await call('GET', `${at}/qr.svg`)).status).toBe(404);

    await onShow(id, started.body.id, '2@reference,keys');
    expect((await call<Pairing>('GET', at)).body).toMatchObject({ step: 'show_qr', qr: '2@reference,keys' });
    const picture = await call<string>('GET', `${at}/qr.svg`);
    expect(picture.headers).toMatchObject({ 'content-type': 'image/svg+xml', 'cache-control': 'no-store' });
    expect(picture.body).toMatch(/^<svg/);

    expect((await call('DELETE', at)).status).toBe(204);
    expect((await call<Pairing>('GET', at)).body).toMatchObject({ step: 'cancelled' });
    expect((await call<Pairing>('GET', at)).body).not.toHaveProperty('qr');
    expect((await call('GET', `${at}/qr.svg`)).status).toBe(404);
    expect((await call<Channel>('GET', `/v1/channels/${id}`)).body).toMatchObject({
      status: 'unpaired',
      status_reason: 'pairing_cancelled',
    });
  });

  it('keeps the code on show unreadable in the database', async () => {
    const { id } = await newChannel();
    const { body } = await call<Pairing>('POST', `/v1/channels/${id}/pairing`, {});
    await onShow(id, body.id, '2@very-secret-reference');
    const row = await inWorkspace(scope, tx =>
      tx.selectFrom('pairings').select('secret').where('channel_id', '=', id).executeTakeFirstOrThrow(),
    );
    expect(row.secret?.toString('latin1')).not.toContain('very-secret');
  });

  it('takes a doubled start for one, and a later one for a new pairing with the full time', async () => {
    const { id } = await newChannel();
    const at = `/v1/channels/${id}/pairing`;
    const twins = await Promise.all([call<Pairing>('POST', at, {}), call<Pairing>('POST', at, {})]);
    expect(twins.map(({ status }) => status).sort()).toEqual([200, 201]);
    expect(twins[0]?.body.id).toBe(twins[1]?.body.id);
    await inWorkspace(scope, tx =>
      tx
        .updateTable('pairings')
        .set({ started_at: new Date(Date.now() - 290_000), expires_at: new Date(Date.now() + 10_000) })
        .where('channel_id', '=', id)
        .execute(),
    );
    const again = await call<Pairing>('POST', at, {});
    expect(again.status).toBe(201);
    expect(again.body.id).not.toBe(twins[0]?.body.id);
    expect(Date.parse(again.body.expires_at)).toBeGreaterThan(Date.now() + 290_000);
  });

  it('asks for a number with the code method, and refuses one without a country', async () => {
    const { id } = await newChannel();
    const at = `/v1/channels/${id}/pairing`;
    expect((await call('POST', at, { method: 'code' })).status).toBe(422);
    expect((await call('POST', at, { method: 'code', phone: '0170123456' })).status).toBe(422);
    const started = await call<Pairing>('POST', at, { method: 'code', phone: '+491701234567' });
    expect(started.body).toMatchObject({ method: 'code', step: 'starting' });
  });

  it('does not pair over a number that is linked, and refreshes groups only while connected', async () => {
    const { id } = await newChannel();
    await inWorkspace(scope, tx =>
      tx
        .updateTable('channels')
        .set({ wanted: 'connected', status: 'connecting', phone: '+15550000009' })
        .where('id', '=', id)
        .execute(),
    );
    expect(await call('POST', `/v1/channels/${id}/pairing`, {})).toMatchObject({
      status: 409,
      body: { code: 'illegal_state' },
    });
    expect((await call('POST', `/v1/channels/${id}/groups/refresh`)).status).toBe(409);
    const unpaired = await call<Channel>('POST', `/v1/channels/${id}/unpair`);
    expect(unpaired.body).toMatchObject({ status: 'unpaired', status_reason: 'unpaired', phone: null });
    expect((await call('POST', `/v1/channels/${id}/pairing`, {})).status).toBe(201);
  });

  it('shows no channel to another workspace, neither to read nor to change', async () => {
    const { id } = await newChannel();
    const foreign = { 'x-workspace': 'other' };
    const at = `/v1/channels/${id}`;
    const answers = await Promise.all([
      call('GET', at, undefined, foreign),
      call('PATCH', at, { label: 'Mine' }, foreign),
      call('DELETE', at, undefined, foreign),
      call('POST', `${at}/unpair`, undefined, foreign),
      call('POST', `${at}/pairing`, {}, foreign),
      call('GET', `${at}/pairing`, undefined, foreign),
      call('POST', `${at}/groups/refresh`, undefined, foreign),
    ]);
    expect(answers.map(({ status }) => status)).toEqual(Array(7).fill(404));
    expect((await call<Channel>('GET', at)).body).toMatchObject({ label: 'School', version: 1 });
  });

  it('is gone once removed', async () => {
    const { id } = await newChannel();
    expect((await call('DELETE', `/v1/channels/${id}`)).status).toBe(204);
    expect((await call('GET', `/v1/channels/${id}`)).status).toBe(404);
    expect((await call('DELETE', `/v1/channels/${id}`)).status).toBe(404);
    const { body } = await call<{ data: Channel[] }>('GET', '/v1/channels');
    expect(body.data).toEqual([]);
  });

  /** What the node that drives the pairing writes. */
  async function onShow(channelId: string, pairingId: string, text: string): Promise<void> {
    const vault = await kernel.secrets.vault(scope.workspaceId);
    const secret = vault.seal(Buffer.from(text), pairingSeal(channelId, pairingId));
    await inWorkspace(scope, tx =>
      tx.updateTable('pairings').set({ step: 'show_qr', secret }).where('id', '=', pairingId).execute(),
    );
  }
});
