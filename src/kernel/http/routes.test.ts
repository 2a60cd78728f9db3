import { describe, expect, it } from 'vitest';
import { gate, good, kernel, onThings } from '../../../test/harness/things.ts';
import { newId } from '../ids.ts';
import { createHttp } from './server.ts';

const things = onThings();

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
    const answers = await Promise.all(urls.map(url => things.http.app.inject(url)));
    for (const answer of answers) {
      expect(answer.statusCode).toBe(404);
      expect(withoutRequestId(answer.body)).toEqual(withoutRequestId(answers[0]?.body ?? ''));
    }
  });

  it('that answer other methods say which', async () => {
    const answer = await things.http.app.inject({ method: 'PUT', url: '/v1/things', payload: {} });
    expect(answer.json()).toMatchObject({ status: 405, code: 'method_not_allowed' });
    expect(answer.headers.allow?.toString().split(', ')).toEqual(expect.arrayContaining(['GET', 'POST']));
    expect((await things.http.app.inject({ method: 'POST', url: `/v1/things/${newId()}` })).statusCode).toBe(
      405,
    );
  });

  it('of routes without a permission stop the start', async () => {
    const other = await createHttp(kernel, gate, { webRoot: things.webRoot });
    expect(() => other.app.get('/v1/open', async () => 'all yours')).toThrow('/v1/open');
    await other.close();
  });
});

describe('the gate', () => {
  it('is asked before anything is read', async () => {
    const answer = await things.post('{', {
      headers: { 'x-who': 'nobody', 'content-type': 'application/json' },
    });
    expect(answer.json()).toMatchObject({ status: 401, code: 'unauthenticated' });
  });

  it('is asked for the permission of the route', async () => {
    expect((await things.post(good, { headers: { 'x-who': 'viewer' } })).json()).toMatchObject({
      status: 403,
      code: 'forbidden',
    });
    expect(
      (await things.http.app.inject({ url: '/v1/things', headers: { 'x-who': 'viewer' } })).statusCode,
    ).toBe(200);
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
    const answer = await things.http.app.inject({
      method: 'PATCH',
      url: `/v1/things/${newId()}`,
      headers: header === undefined ? {} : { 'if-match': header },
    });
    expect(answer.json()).toEqual({ ifMatch: version });
  });

  it.each(['three', '"3", "4"', '-1', '""', '3.5', '99999999999'])('%s is refused', async header => {
    const answer = await things.http.app.inject({
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
