import { once } from 'node:events';
import { connect } from 'node:net';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { systemClock } from '../clock.ts';
import { readConfig } from '../config.ts';
import { AppError } from '../errors.ts';
import { newId } from '../ids.ts';
import type { Kernel } from '../kernel.ts';
import { mintScope } from '../scope.ts';
import { createHttp, type Http } from './server.ts';
import { openStream, type Stream } from './sse.ts';

const kernel = {
  config: readConfig({ CONVOKE_PORT: '0' }),
  log: pino({ level: 'silent' }),
  wake: { on: () => () => undefined },
  clock: systemClock,
  database: { engine: { kind: 'embedded' } },
} as unknown as Kernel;
const allowed = new Set(['anna', 'bob']);
const streams: Stream[] = [];
/** Resolves when a request of the kind `late` has come in. */
const waiting = Promise.withResolvers<void>();
let http: Http;
let url: string;

beforeAll(async () => {
  const gate = {
    enter: async (request: { headers: Record<string, unknown> }) => {
      if (!allowed.has(String(request.headers['x-who'])))
        throw new AppError('unauthenticated', 'Sign in first.');
      return mintScope(kernel, newId(), { kind: 'system' });
    },
    user: async () => newId(),
  };
  http = await createHttp(kernel, gate, { heartbeatMs: 10 });
  http.workspace({
    method: 'GET',
    url: '/v1/stream/:how',
    permission: 'activity.read',
    summary: 'A stream',
    tag: 'test',
    stream: true,
    params: z.strictObject({ how: z.enum(['open', 'late', 'refused', 'forgotten']) }),
    answers: { 200: z.string() },
    handler: async ({ request, params }) => {
      if (params.how === 'refused') throw new AppError('forbidden', 'Not this one.');
      if (params.how === 'late') {
        waiting.resolve();
        await once(request.raw.socket, 'close');
      }
      if (params.how === 'open' || params.how === 'late') streams.push(openStream(request));
      return {};
    },
  });
  url = await http.listen();
});
afterAll(() => http.close());

const ask = (how: string, who = 'anna') => fetch(`${url}/v1/stream/${how}`, { headers: { 'x-who': who } });

describe('a stream', () => {
  it('shows that it is alive and carries headers like any answer', async () => {
    const answer = await ask('open');
    expect(answer.headers.get('content-type')).toBe('text/event-stream; charset=utf-8');
    expect(answer.headers.get('x-content-type-options')).toBe('nosniff');
    let text = '';
    for await (const chunk of answer.body ?? []) {
      text += Buffer.from(chunk).toString();
      if (text.includes(': beat')) break;
    }
    expect(text).toContain('retry: 2000\n\n');
  });

  it('is told when the reader goes away', async () => {
    const abort = new AbortController();
    await fetch(`${url}/v1/stream/open`, { headers: { 'x-who': 'anna' }, signal: abort.signal });
    const stream = streams.at(-1);
    const closed = new Promise<void>(resolve => stream?.onClose(resolve));
    abort.abort();
    await closed;
    expect(stream?.send({ data: 1 })).toBe(false);
    await new Promise<void>(resolve => stream?.onClose(resolve));
  });

  it('is over at once when the reader went away before it was opened', async () => {
    const abort = new AbortController();
    const before = streams.length;
    const asked = fetch(`${url}/v1/stream/late`, { headers: { 'x-who': 'anna' }, signal: abort.signal });
    asked.catch(() => undefined);
    await waiting.promise;
    abort.abort();
    await expect.poll(() => streams.length).toBe(before + 1);
    let over = false;
    streams.at(-1)?.onClose(() => {
      over = true;
    });
    await expect.poll(() => over).toBe(true);
  });

  it('ends soon after the login has ended', async () => {
    const answer = await ask('open', 'bob');
    allowed.delete('bob');
    expect(await answer.text()).toContain(': beat');
  });

  it('cuts off a reader that does not read', async () => {
    const { port } = new URL(url);
    const socket = connect(Number(port), '127.0.0.1');
    socket.on('error', () => undefined);
    const before = streams.length;
    socket.write('GET /v1/stream/open HTTP/1.1\r\nHost: x\r\nX-Who: anna\r\n\r\n');
    await expect.poll(() => streams.length).toBe(before + 1);
    const stream = streams.at(-1);
    const data = 'x'.repeat(65_536);
    let sent = 0;
    while (stream?.send({ data })) {
      sent += 1;
      if (sent > 1_000) throw new Error('64 MB went to nobody.');
      await new Promise(resolve => setImmediate(resolve));
    }
    expect(sent).toBeGreaterThan(10);
    socket.resume();
    await once(socket, 'close');
  });

  it('that is refused, or never opened, is answered as a problem', async () => {
    expect((await ask('refused')).status).toBe(403);
    expect((await ask('forgotten')).status).toBe(500);
    expect((await ask('other')).status).toBe(404);
    expect((await ask('open', 'nobody')).status).toBe(401);
    expect(
      (await fetch(`${url}/v1/stream/open`, { method: 'HEAD', headers: { 'x-who': 'anna' } })).status,
    ).toBe(405);
  });
});
