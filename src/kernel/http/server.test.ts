import { once } from 'node:events';
import { connect } from 'node:net';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { gate, good, kernel, lines, onThings, workspaceId } from '../../../test/harness/things.ts';
import { readConfig } from '../config.ts';
import { newId } from '../ids.ts';
import type { Kernel } from '../kernel.ts';
import { createHttp } from './server.ts';
import { openStream } from './sse.ts';

const things = onThings();

describe('a right request', () => {
  it('is answered with what the route promises and nothing more', async () => {
    const answer = await things.post({ ...good, label: '  One ' });
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
    await things.post({ ...good, label: 'Confidential'.slice(0, 10) });
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

  it('is named in the log by its route, never by its address', async () => {
    lines.length = 0;
    await things.http.app.inject(`/v1/things?cursor=hunter2`);
    await things.http.app.inject(`/v1/things/hunter2/fault/missing?pass=hunter2`);
    expect(lines.map(line => JSON.parse(line).route)).toEqual(['/v1/things', '/v1/things/:id/fault/:kind']);
    expect(lines.join()).not.toContain('hunter2');
  });

  it('may name its workspace in the query of any route', async () => {
    const answer = await things.http.app.inject('/v1/things?workspace=demo&limit=3');
    expect(answer.json()).toEqual({ limit: 3, cursor: null });
  });

  it('may have no body where none is needed, and gets none where none is promised', async () => {
    const answer = await things.http.app.inject({
      method: 'DELETE',
      url: `/v1/things/${newId()}`,
      headers: { 'content-type': 'application/json' },
    });
    expect(answer.statusCode).toBe(204);
    expect(answer.body).toBe('');
  });

  it('may be answered with another type than JSON', async () => {
    const answer = await things.http.app.inject('/v1/picture.svg');
    expect(answer.headers['content-type']).toBe('image/svg+xml');
    expect(answer.body).toBe('<svg/>');
  });
});

describe('faults', () => {
  it('do not show the inside', async () => {
    lines.length = 0;
    const answer = await things.http.app.inject(`/v1/things/${newId()}/fault/other`);
    expect(answer.json()).toMatchObject({ status: 500, code: 'internal' });
    expect(answer.body).not.toContain('secret internals');
    expect(lines.join('')).toContain('secret internals');
  });

  it('in an answer never reach the caller', async () => {
    const answer = await things.http.app.inject(`/v1/things/${newId()}/fault/answer`);
    expect(answer.statusCode).toBe(500);
    expect(answer.body).not.toContain('hunter2');
  });

  it('of the database are a 503 that asks to try again', async () => {
    const answer = await things.http.app.inject(`/v1/things/${newId()}/fault/database`);
    expect(answer.json()).toMatchObject({ status: 503, code: 'database_unavailable' });
    expect(answer.headers['retry-after']).toBe('5');
  });

  it('of a full disk say that nothing was stored, and what to do', async () => {
    const answer = await things.http.app.inject(`/v1/things/${newId()}/fault/full`);
    expect(answer.json()).toMatchObject({ status: 507, title: 'Insufficient Storage', code: 'storage_full' });
    expect(answer.json().detail).toContain('Make room');
  });

  it('of a pool without a free connection are a 503 too', async () => {
    const answer = await things.http.app.inject(`/v1/things/${newId()}/fault/crowd`);
    expect(answer.json()).toMatchObject({ status: 503, code: 'database_unavailable' });
  });

  it('of a commit whose answer is lost say that it may have been stored', async () => {
    const answer = await things.http.app.inject(`/v1/things/${newId()}/fault/commit`);
    expect(answer.json()).toMatchObject({ status: 503, code: 'database_unavailable' });
    expect(answer.json().detail).toContain('Idempotency-Key');
  });

  it('of the database show in /health', async () => {
    const answer = await things.http.app.inject('/health');
    expect(answer.statusCode).toBe(503);
    expect(answer.json()).toMatchObject({ status: 'unhealthy', database: 'unreachable' });
  });
});

describe('a server on a port', () => {
  it('answers a body of 1 MB with 413, streams events, and ends the streams when it stops', async () => {
    const other = await createHttp({ ...kernel, config: readConfig({ CONVOKE_PORT: '0' }) } as Kernel, gate, {
      webRoot: things.webRoot,
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
    const other = await createHttp({ ...kernel, config } as Kernel, gate, { webRoot: things.webRoot });
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
    const first = await createHttp({ ...kernel, config } as Kernel, gate, { webRoot: things.webRoot });
    const port = new URL(await first.listen()).port;
    const second = await createHttp(
      { ...kernel, config: { ...config, port: Number(port) } } as Kernel,
      gate,
      { webRoot: things.webRoot },
    );
    await expect(second.listen()).rejects.toThrow(`Port ${port} on 127.0.0.1 is in use`);
    await second.close();
    await first.close();
  });
});
