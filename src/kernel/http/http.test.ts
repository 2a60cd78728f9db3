import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { InjectOptions } from 'fastify';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { systemClock } from '../clock.ts';
import { readConfig } from '../config.ts';
import { CommitUnknown } from '../database/database.ts';
import { LinkFault } from '../database/engine.ts';
import { AppError, notFound } from '../errors.ts';
import { newId } from '../ids.ts';
import type { Kernel } from '../kernel.ts';
import { mintScope } from '../scope.ts';
import type { Gate } from './route.ts';
import { createHttp, type Http } from './server.ts';
import { Content, IdParams, PageQuery, Phone, Target } from './shapes.ts';
import { openStream } from './sse.ts';

const workspaceId = newId();
const lines: string[] = [];
const kernel = {
  config: readConfig({ CONVOKE_PUBLIC_URL: 'https://convoke.example.org' }),
  log: pino({ level: 'info' }, { write: (line: string) => void lines.push(line) }),
  clock: systemClock,
  wake: { on: () => () => undefined },
  database: {
    engine: { kind: 'embedded' },
    inEngine: async () => {
      throw Object.assign(new Error('connect ECONNREFUSED 127.0.0.1:5432'), { code: 'ECONNREFUSED' });
    },
  },
} as unknown as Kernel;

/** Lets in everybody but `x-who: nobody`; `x-who: viewer` may only read. */
const gate: Gate = {
  enter: async (request, permission) => {
    if (request.headers['x-who'] === 'nobody') throw new AppError('unauthenticated', 'Sign in first.');
    if (request.headers['x-who'] === 'viewer' && !permission.endsWith('.read'))
      throw new AppError('forbidden', 'No.');
    return mintScope(kernel, workspaceId, { kind: 'system' });
  },
  user: async () => {
    throw new AppError('unauthenticated', 'Sign in first.');
  },
};

const Thing = z.object({ id: z.string(), label: z.string(), version: z.number().int() });
const NewThing = z.strictObject({
  label: z.string().trim().min(1, 'Give it a name.').max(10),
  kind: z.enum(['small', 'large']),
  size: z.number().int().min(1).optional(),
  content: Content.optional(),
  targets: z.array(Target).min(1, 'Choose at least one recipient.').optional(),
  how: z
    .discriminatedUnion('method', [
      z.strictObject({ method: z.literal('qr').default('qr') }),
      z.strictObject({ method: z.literal('code'), phone: Phone }),
    ])
    .optional(),
});

let http: Http;
let webRoot: string;

beforeAll(async () => {
  webRoot = mkdtempSync(join(tmpdir(), 'convoke-web-'));
  http = await createHttp(kernel, gate, { webRoot });
  http.workspace({
    method: 'POST',
    url: '/v1/things',
    permission: 'channels.manage',
    summary: 'Makes a thing',
    tag: 'things',
    body: NewThing,
    answers: { 201: Thing },
    handler: async ({ body }) => ({ body: { id: 'a', label: body.label, version: 1, secret: 'hunter2' } }),
  });
  http.workspace({
    method: 'GET',
    url: '/v1/things',
    permission: 'channels.read',
    summary: 'All things',
    tag: 'things',
    query: PageQuery,
    answers: { 200: z.object({ limit: z.number(), cursor: z.string().nullable() }) },
    handler: async ({ query }) => ({ body: { limit: query.limit, cursor: query.cursor ?? null } }),
  });
  http.workspace({
    method: 'PATCH',
    url: '/v1/things/:id',
    permission: 'channels.manage',
    summary: 'Changes a thing',
    tag: 'things',
    params: IdParams,
    answers: { 200: z.object({ ifMatch: z.number().nullable() }) },
    handler: async ({ ifMatch }) => ({ body: { ifMatch: ifMatch ?? null } }),
  });
  http.workspace({
    method: 'DELETE',
    url: '/v1/things/:id',
    permission: 'channels.manage',
    summary: 'Deletes a thing',
    tag: 'things',
    params: IdParams,
    answers: { 204: null },
    handler: async () => ({}),
  });
  http.workspace({
    method: 'GET',
    url: '/v1/things/:id/fault/:kind',
    permission: 'channels.read',
    summary: 'Fails in several ways',
    tag: 'things',
    params: IdParams.extend({ kind: z.string() }),
    answers: { 200: Thing },
    handler: async ({ params }) => {
      if (params.kind === 'database')
        throw Object.assign(new Error('terminating connection'), { code: '57P01' });
      if (params.kind === 'full') throw Object.assign(new Error('could not extend file'), { code: '53100' });
      if (params.kind === 'crowd') throw new LinkFault('No connection could be had in time.', false);
      if (params.kind === 'commit') throw new CommitUnknown('things.create', new Error('cut'));
      if (params.kind === 'answer') return { body: { id: 1, secret: 'hunter2' } };
      if (params.kind === 'missing') throw notFound();
      throw new Error('secret internals');
    },
  });
  http.workspace({
    method: 'GET',
    url: '/v1/picture.svg',
    permission: 'channels.read',
    summary: 'A picture',
    tag: 'things',
    answers: { 200: z.string() },
    handler: async () => ({ body: '<svg/>', headers: { 'content-type': 'image/svg+xml' } }),
  });
  await http.app.ready();
});

afterAll(async () => {
  await http.close();
  rmSync(webRoot, { recursive: true });
});

const good = { label: 'One', kind: 'small' };

async function post(payload: unknown, more: InjectOptions = {}) {
  return http.app.inject({ method: 'POST', url: '/v1/things', payload: payload as object, ...more });
}

describe('a right request', () => {
  it('is answered with what the route promises and nothing more', async () => {
    const answer = await post({ ...good, label: '  One ' });
    expect(answer.statusCode).toBe(201);
    expect(answer.json()).toEqual({ id: 'a', label: 'One', version: 1 });
    expect(answer.headers).toMatchObject({
      etag: '"1"',
      'x-request-id': expect.any(String),
      'cache-control': 'no-store',
    });
  });

  it('is written to the log as one line with ids and without its content', async () => {
    lines.length = 0;
    await post({ ...good, label: 'Confidential'.slice(0, 10) });
    expect(lines).toHaveLength(1);
    expect(JSON.parse(lines[0] ?? '')).toMatchObject({
      event: 'http.request',
      method: 'POST',
      route: '/v1/things',
      status: 201,
      workspace_id: workspaceId,
    });
    expect(lines[0]).not.toContain('Confidenti');
  });

  it('may name its workspace in the query of any route', async () => {
    const answer = await http.app.inject('/v1/things?workspace=demo&limit=3');
    expect(answer.json()).toEqual({ limit: 3, cursor: null });
  });

  it('may have no body where none is needed, and gets none where none is promised', async () => {
    const answer = await http.app.inject({
      method: 'DELETE',
      url: `/v1/things/${newId()}`,
      headers: { 'content-type': 'application/json' },
    });
    expect(answer.statusCode).toBe(204);
    expect(answer.body).toBe('');
  });

  it('may be answered with another type than JSON', async () => {
    const answer = await http.app.inject('/v1/picture.svg');
    expect(answer.headers['content-type']).toBe('image/svg+xml');
    expect(answer.body).toBe('<svg/>');
  });
});

describe('wrong input', () => {
  it.each([
    ['a missing field', { kind: 'small' }, 'label', 'This field is required.'],
    ['a wrong type', { ...good, label: 7 }, 'label', 'Must be a text.'],
    ['an empty text', { ...good, label: '  ' }, 'label', 'Give it a name.'],
    [
      'a text that is too long',
      { ...good, label: 'x'.repeat(11) },
      'label',
      'Must have at most 10 characters.',
    ],
    ['a word that is not offered', { ...good, kind: 'huge' }, 'kind', 'Must be "small" or "large".'],
    ['a number with a fraction', { ...good, size: 1.5 }, 'size', 'Must be a whole number.'],
    ['a number out of range', { ...good, size: 0 }, 'size', 'Must be at least 1.'],
    [
      'an unknown field',
      { ...good, labl: 'x' },
      'labl',
      'There is no such field here. Remove it or check its spelling.',
    ],
    [
      'an unknown field deep inside',
      { ...good, content: { type: 'text', text: { body: 'a', x: 1 } } },
      'content.text.x',
      'There is no such field here. Remove it or check its spelling.',
    ],
    ['no recipient', { ...good, targets: [] }, 'targets', 'Choose at least one recipient.'],
    [
      'a recipient of no kind',
      { ...good, targets: [{}] },
      'targets.0',
      'Name either a `group_id` or a `phone` in international form.',
    ],
    [
      'a phone number without country',
      { ...good, targets: [{ phone: '0170 1234567' }] },
      'targets.0.phone',
      'Write the number in international form, such as +491701234567.',
    ],
    [
      'one form of several',
      { ...good, how: { method: 'code', phone: '123' } },
      'how.phone',
      'Write the number in international form, such as +491701234567.',
    ],
    [
      'a form without its field',
      { ...good, how: { method: 'code' } },
      'how.phone',
      'This field is required.',
    ],
    [
      'a form that there is not',
      { ...good, how: { method: 'post' } },
      'how.method',
      'Must be "qr" or "code".',
    ],
    [
      'NUL',
      { ...good, label: 'a\0b' },
      'label',
      'Contains a character that cannot be stored. Remove control characters.',
    ],
    [
      'half a surrogate pair',
      { ...good, label: 'a\ud800' },
      'label',
      'Contains a character that cannot be stored. Remove control characters.',
    ],
    ['a list instead of an object', [], '', 'Must be an object.'],
  ])('%s is named', async (_, payload, path, detail) => {
    const answer = await post(payload);
    expect(answer.statusCode).toBe(422);
    expect(answer.headers['content-type']).toBe('application/problem+json; charset=utf-8');
    expect(answer.json()).toMatchObject({
      type: '/docs#validation_failed',
      title: 'Unprocessable Entity',
      status: 422,
      code: 'validation_failed',
      request_id: answer.headers['x-request-id'],
      errors: [{ path, detail }],
    });
  });

  it('names all wrong fields at once', async () => {
    const answer = await post({ label: 1, other: true });
    expect(
      answer
        .json()
        .errors.map((error: { path: string }) => error.path)
        .sort(),
    ).toEqual(['kind', 'label', 'other']);
  });

  it('asks for a body where there is none', async () => {
    const answer = await http.app.inject({ method: 'POST', url: '/v1/things' });
    expect(answer.json()).toMatchObject({
      status: 422,
      errors: [{ path: '', detail: 'Send a JSON object as the body.' }],
    });
  });

  it('refuses a body where none is taken', async () => {
    const answer = await http.app.inject({
      method: 'DELETE',
      url: `/v1/things/${newId()}`,
      payload: { force: true },
    });
    expect(answer.json()).toMatchObject({ status: 422, errors: [{ path: 'force' }] });
  });

  it.each(['{', '{"label":}', '"a', '{"__proto__":{"x":1}}', '[1,', '\u{feff}{}x'])(
    'refuses %j as malformed',
    async payload => {
      const answer = await post(payload, { headers: { 'content-type': 'application/json' } });
      expect(answer.json()).toMatchObject({ status: 400, code: 'malformed_body' });
    },
  );

  it('survives deep nesting', async () => {
    const answer = await post(`{"label":${'['.repeat(100_000)}${']'.repeat(100_000)}}`, {
      headers: { 'content-type': 'application/json' },
    });
    expect(answer.statusCode).toBe(422);
  });

  it.each(['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data; boundary=x', ''])(
    'refuses the content type %j',
    async type => {
      const answer = await post('{"label":"One","kind":"small"}', { headers: { 'content-type': type } });
      expect(answer.json()).toMatchObject({ status: 415, code: 'unsupported_media_type' });
    },
  );

  it.each([
    ['limit=many', 'limit'],
    ['limit=0', 'limit'],
    ['limit=1000', 'limit'],
    ['limt=3', 'limt'],
    ['limit=1&limit=2', 'limit'],
    ['cursor=a&cursor=b', 'cursor'],
    ['cursor=%00', 'cursor'],
  ])('names the wrong part of the query %s', async (query, path) => {
    const answer = await http.app.inject(`/v1/things?${query}`);
    expect(answer.json()).toMatchObject({ status: 422, errors: [{ path }] });
  });
});

describe('addresses', () => {
  const withoutRequestId = (body: string) => ({ ...JSON.parse(body), request_id: undefined });

  it('that do not exist, wrong ids and missing things are answered alike', async () => {
    const urls = [
      '/v1',
      '/v1/nothing',
      '/v1/things/not-an-id/fault/missing',
      `/v1/things/${newId()}/fault/missing`,
      '/v1/%zz',
    ];
    const answers = await Promise.all(urls.map(url => http.app.inject(url)));
    for (const answer of answers) {
      expect(answer.statusCode).toBe(404);
      expect(withoutRequestId(answer.body)).toEqual(withoutRequestId(answers[0]?.body ?? ''));
    }
  });

  it('that answer other methods say which', async () => {
    const answer = await http.app.inject({ method: 'PUT', url: '/v1/things', payload: {} });
    expect(answer.json()).toMatchObject({ status: 405, code: 'method_not_allowed' });
    expect(answer.headers.allow?.toString().split(', ')).toEqual(expect.arrayContaining(['GET', 'POST']));
    expect((await http.app.inject({ method: 'POST', url: `/v1/things/${newId()}` })).statusCode).toBe(405);
  });

  it('of routes without a permission stop the start', async () => {
    const other = await createHttp(kernel, gate, { webRoot });
    expect(() => other.app.get('/v1/open', async () => 'all yours')).toThrow('/v1/open');
    await other.close();
  });
});

describe('the gate', () => {
  it('is asked before anything is read', async () => {
    const answer = await post('{', { headers: { 'x-who': 'nobody', 'content-type': 'application/json' } });
    expect(answer.json()).toMatchObject({ status: 401, code: 'unauthenticated' });
  });

  it('is asked for the permission of the route', async () => {
    expect((await post(good, { headers: { 'x-who': 'viewer' } })).json()).toMatchObject({
      status: 403,
      code: 'forbidden',
    });
    expect((await http.app.inject({ url: '/v1/things', headers: { 'x-who': 'viewer' } })).statusCode).toBe(
      200,
    );
  });
});

describe('faults', () => {
  it('do not show the inside', async () => {
    lines.length = 0;
    const answer = await http.app.inject(`/v1/things/${newId()}/fault/other`);
    expect(answer.json()).toMatchObject({ status: 500, code: 'internal' });
    expect(answer.body).not.toContain('secret internals');
    expect(lines.join('')).toContain('secret internals');
  });

  it('in an answer never reach the caller', async () => {
    const answer = await http.app.inject(`/v1/things/${newId()}/fault/answer`);
    expect(answer.statusCode).toBe(500);
    expect(answer.body).not.toContain('hunter2');
  });

  it('of the database are a 503 that asks to try again', async () => {
    const answer = await http.app.inject(`/v1/things/${newId()}/fault/database`);
    expect(answer.json()).toMatchObject({ status: 503, code: 'database_unavailable' });
    expect(answer.headers['retry-after']).toBe('5');
  });

  it('of a full disk say that nothing was stored, and what to do', async () => {
    const answer = await http.app.inject(`/v1/things/${newId()}/fault/full`);
    expect(answer.json()).toMatchObject({ status: 507, title: 'Insufficient Storage', code: 'storage_full' });
    expect(answer.json().detail).toContain('Make room');
  });

  it('of a pool without a free connection are a 503 too', async () => {
    const answer = await http.app.inject(`/v1/things/${newId()}/fault/crowd`);
    expect(answer.json()).toMatchObject({ status: 503, code: 'database_unavailable' });
  });

  it('of a commit whose answer is lost say that it may have been stored', async () => {
    const answer = await http.app.inject(`/v1/things/${newId()}/fault/commit`);
    expect(answer.json()).toMatchObject({ status: 503, code: 'database_unavailable' });
    expect(answer.json().detail).toContain('Idempotency-Key');
  });

  it('of the database show in /health', async () => {
    const answer = await http.app.inject('/health');
    expect(answer.statusCode).toBe(503);
    expect(answer.json()).toMatchObject({ status: 'unhealthy', database: 'unreachable' });
  });
});

describe('If-Match', () => {
  it.each([
    ['"3"', 3],
    ['3', 3],
    ['W/"3"', 3],
    ['*', null],
    [undefined, null],
  ])('%s asks for version %s', async (header, version) => {
    const answer = await http.app.inject({
      method: 'PATCH',
      url: `/v1/things/${newId()}`,
      headers: header === undefined ? {} : { 'if-match': header },
    });
    expect(answer.json()).toEqual({ ifMatch: version });
  });

  it.each(['three', '"3", "4"', '-1', '""', '3.5', '99999999999'])('%s is refused', async header => {
    const answer = await http.app.inject({
      method: 'PATCH',
      url: `/v1/things/${newId()}`,
      headers: { 'if-match': header },
    });
    expect(answer.json()).toMatchObject({
      status: 400,
      code: 'invalid_request',
      errors: [{ path: 'If-Match' }],
    });
  });
});

describe('the origin of a change', () => {
  const from = async (headers: Record<string, string>) =>
    (await post(good, { headers: { host: 'localhost:3000', ...headers } })).statusCode;
  const cookie = 'convoke_login=x';

  it.each([
    ['own origin', { cookie, origin: 'http://localhost:3000' }],
    ['own public address', { cookie, origin: 'https://convoke.example.org' }],
    ['same site by Sec-Fetch-Site', { cookie, 'sec-fetch-site': 'same-origin' }],
    ['typed by the user', { cookie, 'sec-fetch-site': 'none' }],
    ['no browser', { cookie }],
    ['no cookie, no browser', {}],
  ])('%s is let in', async (_, headers) => {
    expect(await from(headers as Record<string, string>)).toBe(201);
  });

  it.each([
    ['another host', { cookie, origin: 'https://evil.example' }],
    ['another port', { cookie, origin: 'http://localhost:4000' }],
    ['a sandboxed frame', { cookie, origin: 'null' }],
    ['a sibling host', { cookie, 'sec-fetch-site': 'same-site' }],
    ['another site', { cookie, 'sec-fetch-site': 'cross-site' }],
    ['another site before there is a cookie', { origin: 'https://evil.example' }],
  ])('%s is refused', async (_, headers) => {
    expect(await from(headers as Record<string, string>)).toBe(403);
  });

  it('does not matter for reading', async () => {
    const answer = await http.app.inject({
      url: '/v1/things',
      headers: { cookie, origin: 'https://evil.example' },
    });
    expect(answer.statusCode).toBe(200);
    expect(answer.headers['access-control-allow-origin']).toBeUndefined();
  });
});

describe('the web app', () => {
  it('says how to build it while there is none', async () => {
    const answer = await http.app.inject('/channels');
    expect(answer.statusCode).toBe(503);
    expect(answer.body).toContain('scripts/build-web.ts');
  });

  it('is one page for every address, with lasting assets', async () => {
    mkdirSync(join(webRoot, 'assets'));
    writeFileSync(join(webRoot, 'index.html'), '<title>App</title>');
    writeFileSync(join(webRoot, 'assets', 'app-1a2b.js'), '1');
    writeFileSync(join(webRoot, '.secret'), 'hunter2');
    for (const url of ['/', '/channels/1?x=2', '/setup/abc-_']) {
      const page = await http.app.inject(url);
      expect(page.body).toBe('<title>App</title>');
      expect(page.headers['cache-control']).toBe('no-cache');
    }
    const asset = await http.app.inject('/assets/app-1a2b.js');
    expect(asset.headers['cache-control']).toBe('public, max-age=31536000, immutable');
    expect(asset.headers['content-type']).toContain('javascript');
    for (const url of [
      '/assets/gone.js',
      '/.secret',
      '/..%2f..%2fetc%2fpasswd.txt',
      '/assets/%2e%2e/.secret',
    ]) {
      expect((await http.app.inject(url)).statusCode).toBe(404);
    }
  });

  it('comes with a strict content security policy', async () => {
    const policy = (await http.app.inject('/')).headers['content-security-policy'];
    expect(policy).toBe(
      "default-src 'self';script-src 'self';style-src 'self' 'unsafe-inline';img-src 'self' data:;connect-src 'self';frame-ancestors 'none';base-uri 'none';form-action 'self'",
    );
  });
});

describe('the API document', () => {
  it('is made of the routes', async () => {
    const document = (await http.app.inject('/openapi.json')).json();
    expect(document.openapi).toBe('3.1.0');
    const make = document.paths['/v1/things'].post;
    expect(make).toMatchObject({
      'x-permission': 'channels.manage',
      security: [{ login: [] }, { client: [] }, { api_key: [] }],
      tags: ['things'],
    });
    expect(make.requestBody.content['application/json'].schema.required).toEqual(['label', 'kind']);
    expect(Object.keys(make.responses)).toEqual(
      expect.arrayContaining(['201', '401', '403', '413', '422', '503']),
    );
    expect(document.paths['/v1/things/{id}'].delete.responses['204']).toEqual({ description: 'No body' });
    expect(document.paths['/health'].get.security).toEqual([]);
  });

  it('reads as a page that escapes what it shows', async () => {
    const page = (await http.app.inject('/docs')).body;
    expect(page).toContain('Makes a thing');
    expect(page).toContain('channels.manage');
    expect(page).toContain('content.text.body');
    expect(page).not.toContain('<script');
    expect(page).toContain('id="validation_failed"');
  });
});

describe('a server on a port', () => {
  it('answers a body of 1 MB with 413, streams events, and ends the streams when it stops', async () => {
    const other = await createHttp({ ...kernel, config: readConfig({ CONVOKE_PORT: '0' }) } as Kernel, gate, {
      webRoot,
    });
    other.workspace({
      method: 'POST',
      url: '/v1/large',
      permission: 'channels.manage',
      summary: 'Takes a text',
      tag: 'things',
      body: z.strictObject({ text: z.string() }),
      answers: { 204: null },
      handler: async () => ({}),
    });
    other.workspace({
      method: 'GET',
      url: '/v1/stream',
      permission: 'activity.read',
      summary: 'A stream',
      tag: 'things',
      stream: true,
      answers: { 200: z.string() },
      handler: async ({ request }) => {
        openStream(request).send({ id: '7', event: 'changed', data: { text: 'two\nlines' } });
        return {};
      },
    });
    const url = await other.listen();
    const refused = await fetch(`${url}/v1/large`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ text: 'x'.repeat(1_000_000) }),
    });
    expect(await refused.json()).toMatchObject({ status: 413, code: 'body_too_large' });
    const events = await fetch(`${url}/v1/stream`);
    expect(events.headers.get('content-type')).toBe('text/event-stream; charset=utf-8');
    const text = events.text();
    await other.close();
    expect(await text).toContain('id: 7\nevent: changed\ndata: {"text":"two\\nlines"}\n\n');
  });

  it('stops at once although somebody holds a connection without asking', async () => {
    const config = readConfig({ CONVOKE_PORT: '0' });
    const other = await createHttp({ ...kernel, config } as Kernel, gate, { webRoot });
    const { port } = new URL(await other.listen());
    const silent = connect(Number(port), '127.0.0.1');
    await once(silent, 'connect');
    const cut = once(silent, 'close');
    silent.on('error', () => undefined);
    // A request of its own, so that the server has seen the silent one as well.
    await fetch(`http://127.0.0.1:${port}/v1/nothing`);
    await other.close();
    await cut;
    expect(other.app.server.listening).toBe(false);
  }, 5_000);

  it('says which port is taken', async () => {
    const config = readConfig({ CONVOKE_PORT: '0' });
    const first = await createHttp({ ...kernel, config } as Kernel, gate, { webRoot });
    const port = new URL(await first.listen()).port;
    const second = await createHttp(
      { ...kernel, config: { ...config, port: Number(port) } } as Kernel,
      gate,
      { webRoot },
    );
    await expect(second.listen()).rejects.toThrow(`Port ${port} on 127.0.0.1 is in use`);
    await second.close();
    await first.close();
  });
});
