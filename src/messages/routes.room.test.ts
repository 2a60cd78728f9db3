import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type TestKernel, testKernel, testWorkspace } from '../../test/harness/database.ts';
import { ScriptedProvider, scriptedChannel } from '../../test/harness/scripted-adapter.ts';
import { createHttp, type Http, mintScope, newId, type Scope } from '../kernel/index.ts';
import { registerMessageRoutes } from './routes.ts';
import type { Message, MessageDetail } from './schema.ts';

let kernel: TestKernel;
let http: Http;
let scope: Scope;
let channelId: string;

beforeAll(async () => {
  kernel = await testKernel();
  new ScriptedProvider();
  http = await createHttp(kernel, { enter: async () => scope, user: async () => newId() });
  registerMessageRoutes(http);
  await http.app.ready();
});
afterAll(async () => {
  await http.close();
  await kernel.close();
});
beforeEach(async () => {
  scope = await testWorkspace(kernel);
  channelId = await scriptedChannel(scope);
});

async function call<T>(
  method: 'GET' | 'POST' | 'DELETE',
  url: string,
  body?: object,
  headers: Record<string, string> = {},
) {
  const answer = await http.app.inject({ method, url, headers, ...(body ? { payload: body } : {}) });
  return {
    status: answer.statusCode,
    body: (answer.body ? answer.json() : undefined) as T,
    headers: answer.headers,
  };
}

const message = (more: object = {}) => ({
  channel_id: channelId,
  to: { phone: '+491701234567' },
  content: { type: 'text', text: { body: 'hello' } },
  ...more,
});

type Problem = { code: string; errors?: { path: string }[] };

describe('messages over HTTP', () => {
  it('are taken and cancelled with the address that the wish came from', async () => {
    scope = mintScope(kernel, scope.workspaceId, scope.actor, { address: '203.0.113.7' });
    const { id } = (await call<Message>('POST', '/v1/messages', message())).body;
    await call('DELETE', `/v1/messages/${id}`);
    const facts = await kernel.database.inEngine('test.facts', tx =>
      tx
        .selectFrom('activity')
        .select(['type', 'address'])
        .where('subject_id', '=', id)
        .orderBy('id')
        .execute(),
    );
    expect(facts).toEqual([
      { type: 'message.accepted', address: '203.0.113.7' },
      { type: 'message.cancelled', address: '203.0.113.7' },
    ]);
  });

  it('are taken with 202, read and listed', async () => {
    const taken = await call<Message>('POST', '/v1/messages', message());
    expect(taken.status).toBe(202);
    expect(taken.headers.location).toBe(`/v1/messages/${taken.body.id}`);
    expect(taken.body).toMatchObject({ source: 'api', delivery: { status: 'queued', recipients: null } });
    const read = await call<MessageDetail>('GET', `/v1/messages/${taken.body.id}`);
    expect(read.body).toEqual({ ...taken.body, attempts: [], receipts: [] });
    const list = await call<{ data: Message[] }>('GET', '/v1/messages?outcome=waiting');
    expect(list.body).toEqual({ data: [taken.body], page: { next_cursor: null } });
    expect((await call<{ data: Message[] }>('GET', '/v1/messages?outcome=delivered')).body.data).toEqual([]);
  });

  it('are taken once for one key, however often and at the same time it is sent', async () => {
    const key = { 'idempotency-key': newId() };
    const answers = await Promise.all(
      Array.from({ length: 5 }, () => call<Message>('POST', '/v1/messages', message(), key)),
    );
    expect(new Set(answers.map(answer => answer.body.id)).size).toBe(1);
    expect((await call<{ data: Message[] }>('GET', '/v1/messages')).body.data).toHaveLength(1);
    const other = await call<Problem>(
      'POST',
      '/v1/messages',
      message({ to: { phone: '+491701234568' } }),
      key,
    );
    expect(other).toMatchObject({ status: 409, body: { code: 'idempotency_key_reused' } });
  });

  it('are cancelled while queued, and not twice', async () => {
    const { body } = await call<Message>('POST', '/v1/messages', message());
    expect((await call('DELETE', `/v1/messages/${body.id}`)).status).toBe(204);
    const read = await call<MessageDetail>('GET', `/v1/messages/${body.id}`);
    expect(read.body.delivery).toMatchObject({ status: 'cancelled' });
    const again = await call<Problem>('DELETE', `/v1/messages/${body.id}`);
    expect(again).toMatchObject({ status: 409, body: { code: 'illegal_state' } });
  });

  const wrong: [string, object, string][] = [
    ['an unknown field', { colour: 'red' }, 'colour'],
    ['a phone without country', { to: { phone: '01701234567' } }, 'to'],
    ['two recipients', { to: { phone: '+491701234567', group_id: newId() } }, 'to'],
    ['an empty text', { content: { type: 'text', text: { body: '  ' } } }, 'content.text.body'],
    ['another kind of content', { content: { type: 'image' } }, 'content.type'],
    ['a date that is none', { send_at: 'tomorrow' }, 'send_at'],
    ['a channel that is not there', { channel_id: newId() }, 'channel_id'],
  ];
  it.each(wrong)('refuse %s and name the field', async (_what, more, path) => {
    const refused = await call<Problem>('POST', '/v1/messages', message(more));
    expect(refused.status).toBe(422);
    expect(refused.body.errors?.map(field => field.path).join(' ')).toContain(path);
  });

  it('that are not there are 404', async () => {
    expect((await call('GET', `/v1/messages/${newId()}`)).status).toBe(404);
    expect((await call('DELETE', `/v1/messages/${newId()}`)).status).toBe(404);
  });
});
