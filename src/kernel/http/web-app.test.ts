import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { onThings } from '../../../test/harness/things.ts';

const things = onThings();

describe('the web app', () => {
  it('says how to build it while there is none', async () => {
    const answer = await things.http.app.inject('/channels');
    expect(answer.statusCode).toBe(503);
    expect(answer.body).toContain('scripts/build-web.ts');
  });

  it('is one page for every address, with lasting assets', async () => {
    mkdirSync(join(things.webRoot, 'assets'));
    writeFileSync(join(things.webRoot, 'index.html'), '<title>App</title>');
    writeFileSync(join(things.webRoot, 'assets', 'app-1a2b.js'), '1');
    writeFileSync(join(things.webRoot, '.secret'), 'hunter2');
    for (const url of ['/', '/channels/1?x=2', '/setup/abc-_']) {
      const page = await things.http.app.inject(url);
      expect(page.body).toBe('<title>App</title>');
    }
    const asset = await things.http.app.inject('/assets/app-1a2b.js');
    expect(asset.headers['cache-control']).toBe('public, max-age=31536000, immutable');
    expect(asset.headers['content-type']).toContain('javascript');
    for (const url of [
      '/assets/gone.js',
      '/.secret',
      '/..%2f..%2fetc%2fpasswd.txt',
      '/assets/%2e%2e/.secret',
    ]) {
      expect((await things.http.app.inject(url)).statusCode).toBe(404);
    }
  });

  it.each(['/', '/docs'])(
    'comes with a nonce of its own at %s, for the styles of that answer alone',
    async url => {
      writeFileSync(join(things.webRoot, 'index.html'), '<style nonce="{{style-nonce}}"></style>');
      const nonces = new Set<string>();
      for (const answer of [await things.http.app.inject(url), await things.http.app.inject(url)]) {
        const [, nonce = ''] = /<style nonce="([\w-]{24})">/.exec(answer.body) ?? [];
        expect(answer.headers['content-security-policy']).toBe(
          `default-src 'self';script-src 'self';style-src 'self' 'nonce-${nonce}';img-src 'self' data:;connect-src 'self';object-src 'none';frame-ancestors 'none';base-uri 'none';form-action 'self'`,
        );
        expect(answer.headers['cache-control']).toBe('no-store');
        nonces.add(nonce);
      }
      expect(nonces.size).toBe(2);
    },
  );

  it.each(['/v1/things', '/v1/nothing', '/health', '/assets/app-1a2b.js'])(
    'has no place for a style of its own in the answer of %s',
    async url => {
      const policy = (await things.http.app.inject(url)).headers['content-security-policy'];
      expect(policy).toContain("style-src 'self';");
      expect(policy).not.toMatch(/unsafe|nonce|\*/);
    },
  );
});
