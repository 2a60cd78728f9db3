import { describe, expect, it } from 'vitest';
import { onThings } from '../../../test/harness/things.ts';

const things = onThings();

describe('the API document', () => {
  it('is made of the routes', async () => {
    const document = (await things.http.app.inject('/openapi.json')).json();
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
    const page = (await things.http.app.inject('/docs')).body;
    expect(page).toContain('Makes a thing');
    expect(page).toContain('channels.manage');
    expect(page).toContain('content.text.body');
    expect(page).not.toContain('<script');
    expect(page).toContain('id="validation_failed"');
  });
});
