import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type TestKernel, testKernel, testWorkspace } from '../../test/harness/database.ts';
import { until } from '../../test/harness/until.ts';
import { record } from './activity.ts';
import { type LoggedFactPage, registerActivityRoutes } from './activity-log.ts';
import { inWorkspace } from './database/database.ts';
import { createHttp, type Http } from './http/server.ts';
import { newId } from './ids.ts';
import { createLeases, type Leases } from './leases.ts';
import { registerLiveRoute } from './live.ts';
import type { Scope } from './scope.ts';
import { createSealer, type Sealer } from './sealer.ts';

let kernel: TestKernel;
let http: Http;
let scope: Scope;
let url: string;
let leases: Leases;
let sealer: Sealer;

beforeAll(async () => {
  kernel = await testKernel();
  scope = await testWorkspace(kernel);
  leases = createLeases(kernel);
  sealer = createSealer(kernel, leases);
  sealer.start();
  http = await createHttp(kernel, { enter: async () => scope, user: async () => newId() });
  registerActivityRoutes(http, async () => new Map());
  registerLiveRoute(http);
  url = await http.app.listen({ host: '127.0.0.1', port: 0 });
});
afterAll(async () => {
  await http.close();
  await sealer.stop();
  await leases.stop();
  await kernel.close();
});

const tell = (n: number) =>
  inWorkspace(scope, tx =>
    record(tx, scope, { type: 'test.told', subject: { type: 'test', id: newId() }, payload: { n } }),
  );

/** The lines of a stream as they come; `end` breaks it off as a browser does. */
async function listen(path: string, headers: Record<string, string> = {}) {
  const broken = new AbortController();
  const answer = await fetch(url + path, { headers, signal: broken.signal });
  const heard = { text: '' };
  const ended = (async () => {
    const decoder = new TextDecoder();
    for await (const part of answer.body ?? []) heard.text += decoder.decode(part as Uint8Array);
  })().catch(() => undefined);
  return {
    type: answer.headers.get('content-type'),
    ids: () => [...heard.text.matchAll(/^id: (\d+)\nevent: fact$/gm)].map(match => Number(match[1])),
    ready: () => heard.text.includes('event: ready'),
    end: async () => {
      broken.abort();
      await ended;
    },
    ended,
  };
}

describe('live over HTTP', () => {
  it('begins with now, and goes on after a break from the last id that was heard', async () => {
    await tell(0);
    const page = await until(async () => {
      const body = (await (await fetch(`${url}/v1/activity`)).json()) as LoggedFactPage;
      return body.data.length === 1 && body;
    });
    expect(page.data[0]).toMatchObject({ seq: 1, type: 'test.told', payload: { n: 0 } });
    const first = await listen('/v1/live');
    expect(first.type).toContain('text/event-stream');
    await until(first.ready);
    await tell(1);
    await until(() => first.ids().length === 1);
    expect(first.ids()).toEqual([2]);
    await first.end();
    await tell(2);
    const second = await listen('/v1/live', { 'last-event-id': '2' });
    await tell(3);
    await until(() => second.ids().length === 2);
    expect(second.ids()).toEqual([3, 4]);
    await second.end();
    const third = await listen('/v1/live?after=1');
    await until(() => third.ids().length === 3);
    expect(third.ids()).toEqual([2, 3, 4]);
    await third.end();
  });

  it('begins with now where the position lies beyond all that happened', async () => {
    const stream = await listen('/v1/live', { 'last-event-id': '99999999' });
    await until(stream.ready);
    await tell(4);
    await until(() => stream.ids().length === 1);
    expect(stream.ids()[0]).toBeLessThan(100);
    await stream.end();
  });

  it('refuses a position that is none', async () => {
    expect((await fetch(`${url}/v1/live?after=x`)).status).toBe(422);
    expect((await fetch(`${url}/v1/activity?cursor=x`)).status).toBe(422);
  });

  it('ends when the server stops', async () => {
    const stream = await listen('/v1/live');
    await until(stream.ready);
    await http.close();
    await stream.ended;
    expect(stream.ready()).toBe(true);
  });
});
