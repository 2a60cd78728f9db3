import { describe, expect, it } from 'vitest';
import { good, onThings } from '../../../test/harness/things.ts';

const things = onThings();

describe('the origin of a change', () => {
  const from = async (headers: Record<string, string>) =>
    (await things.post(good, { headers: { host: 'localhost:3000', ...headers } })).statusCode;
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
    const answer = await things.http.app.inject({
      url: '/v1/things',
      headers: { cookie, origin: 'https://evil.example' },
    });
    expect(answer.statusCode).toBe(200);
    expect(answer.headers['access-control-allow-origin']).toBeUndefined();
  });
});
