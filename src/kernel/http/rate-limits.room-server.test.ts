import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { type TestKernel, testKernel, testWorkspace } from '../../../test/harness/database.ts';
import { until } from '../../../test/harness/until.ts';
import { systemClock } from '../clock.ts';
import { readConfig } from '../config.ts';
import { newId } from '../ids.ts';
import type { Scope } from '../scope.ts';
import { createHttp, type Http } from './server.ts';

const MINUTE_MS = 60_000;
const people = [newId(), newId()];

let kernel: TestKernel;
let scopes: Scope[];
let ahead = 0;
/** The beginning of a minute, so that a test does not lie across two. */
const from = Math.floor(Date.now() / MINUTE_MS) * MINUTE_MS;

beforeAll(async () => {
  kernel = await testKernel({ clock: { ...systemClock, now: () => new Date(from + ahead) } });
  scopes = [await testWorkspace(kernel), await testWorkspace(kernel), await testWorkspace(kernel)];
});
afterAll(() => kernel.close());

async function node(env: Record<string, string> = {}): Promise<Http> {
  const http = await createHttp(
    { ...kernel, config: readConfig(env) },
    {
      enter: async request => scopes[Number(request.headers['x-workspace'] ?? 0)] as Scope,
      user: async request => people[Number(request.headers['x-person'] ?? 0)] ?? '',
      admin: async request => people[Number(request.headers['x-person'] ?? 0)] ?? '',
    },
    { allowances: { of: () => ({ read: 4, write: 3, send: 2 }) } },
  );
  const common = { summary: 'x', tag: 'test', answers: { 200: z.object({ ip: z.string() }) } };
  const handler = async ({ request }: { request: { ip: string } }) => ({ body: { ip: request.ip } });
  http.workspace({ ...common, method: 'GET', url: '/v1/it', permission: 'channels.read', handler });
  http.workspace({ ...common, method: 'POST', url: '/v1/it', permission: 'channels.manage', handler });
  http.workspace({ ...common, method: 'POST', url: '/v1/send', permission: 'messages.send', handler });
  for (const [url, permission] of [
    ['/v1/own', 'login'],
    ['/v1/console', 'admin'],
    ['/v1/open', 'public'],
  ] as const) {
    http.open({ ...common, method: 'GET', url, permission, handler });
    http.open({ ...common, method: 'POST', url, permission, handler });
  }
  await http.app.ready();
  return http;
}

const ask = (http: Http, method: 'GET' | 'POST', url: string, workspace = 0) =>
  http.app.inject({ method, url, headers: { 'x-workspace': String(workspace) } });

describe('the limits of the API', () => {
  it('count each workspace and class of routes apart, and say what is left', async () => {
    const http = await node();
    const reads = [];
    for (let i = 0; i < 5; i++) reads.push(await ask(http, 'GET', '/v1/it'));
    expect(reads.map(answer => answer.statusCode)).toEqual([200, 200, 200, 200, 429]);
    expect(reads.map(answer => answer.headers['ratelimit-remaining'])).toEqual(['3', '2', '1', '0', '0']);
    expect(reads[0]?.headers).toMatchObject({ 'ratelimit-limit': '4', 'ratelimit-policy': '4;w=60' });
    expect(Number(reads[4]?.headers['retry-after'])).toBeGreaterThan(0);
    expect(reads[4]?.headers['ratelimit-reset']).toBe(reads[4]?.headers['retry-after']);
    expect(reads[4]?.json()).toMatchObject({ code: 'rate_limited' });
    expect((await ask(http, 'POST', '/v1/it')).headers['ratelimit-remaining']).toBe('2');
    expect((await ask(http, 'POST', '/v1/send')).headers['ratelimit-remaining']).toBe('1');
    expect((await ask(http, 'GET', '/v1/it', 1)).statusCode).toBe(200);
    await http.close();
  });

  it('count each person apart on routes without a workspace, also of those who run the installation', async () => {
    ahead += 9 * MINUTE_MS;
    const http = await node();
    const own = (person: number, url = '/v1/own', method: 'GET' | 'POST' = 'GET') =>
      http.app.inject({ method, url, headers: { 'x-person': String(person) } });
    const answers = [await own(0), await own(0, '/v1/console'), await own(0), await own(0), await own(0)];
    expect(answers.map(answer => answer.statusCode)).toEqual([200, 200, 200, 200, 429]);
    expect(answers.map(answer => answer.headers['ratelimit-remaining'])).toEqual(['3', '2', '1', '0', '0']);
    expect(answers[0]?.headers).toMatchObject({ 'ratelimit-limit': '4', 'ratelimit-policy': '4;w=60' });
    expect(answers[4]?.headers['ratelimit-reset']).toBe(answers[4]?.headers['retry-after']);
    expect(answers[4]?.json()).toMatchObject({ code: 'rate_limited' });
    expect((await own(0, '/v1/own', 'POST')).headers['ratelimit-remaining']).toBe('2');
    expect((await own(1)).statusCode).toBe(200);
    expect((await ask(http, 'GET', '/v1/it')).statusCode).toBe(200);
    const open = await own(0, '/v1/open');
    expect([open.statusCode, open.headers['ratelimit-limit']]).toEqual([200, undefined]);
    await http.close();
  });

  it('slide: half a minute later half of what was counted has gone', async () => {
    const http = await node();
    for (let i = 0; i < 4; i++) await ask(http, 'GET', '/v1/it');
    ahead += MINUTE_MS + MINUTE_MS / 2;
    const after = [];
    for (let i = 0; i < 3; i++) after.push((await ask(http, 'GET', '/v1/it')).statusCode);
    expect(after).toEqual([200, 200, 429]);
    ahead += MINUTE_MS / 2;
    await http.close();
  });

  it('hold for all nodes together', async () => {
    ahead += 3 * MINUTE_MS;
    const [one, two] = [await node(), await node()];
    for (let i = 0; i < 3; i++) await ask(one, 'GET', '/v1/it', 2);
    await ask(two, 'GET', '/v1/it', 2);
    const shared = async () => {
      const rows = await kernel.database.inEngine('test.hits', tx =>
        tx.selectFrom('limit_hits').select('hits').where('key', 'like', 'api.read:%').execute(),
      );
      return rows.some(row => row.hits === 4);
    };
    await until(shared, { within: 10_000 });
    // A node hears of the others when it shares what it has counted itself, a second later.
    let passed = 1;
    await until(
      async () => {
        const { statusCode } = await ask(two, 'GET', '/v1/it', 2);
        if (statusCode === 200) passed += 1;
        return statusCode === 429;
      },
      { every: 1_500 },
    );
    // Alone it would have let four through.
    expect(passed).toBeLessThan(4);
    await Promise.all([one.close(), two.close()]);
  });
});

describe('the address of a request', () => {
  const ipOf = async (http: Http, forwarded: string) => {
    const answer = await http.app.inject({
      url: '/v1/it',
      headers: { 'x-forwarded-for': forwarded, 'x-workspace': '1' },
    });
    return answer.json().ip as string;
  };

  it('is what the proxies of the operator say, and never what the caller says', async () => {
    ahead += 5 * MINUTE_MS;
    const [none, one, two] = [
      await node(),
      await node({ CONVOKE_TRUSTED_PROXIES: '1' }),
      await node({ CONVOKE_TRUSTED_PROXIES: '2' }),
    ];
    const spoofed = '6.6.6.6, 192.0.2.7, 198.51.100.1';
    expect(await ipOf(none, spoofed)).toBe('127.0.0.1');
    expect(await ipOf(one, spoofed)).toBe('198.51.100.1');
    expect(await ipOf(two, spoofed)).toBe('192.0.2.7');
    await Promise.all([none.close(), one.close(), two.close()]);
  });
});
