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
      expect(page.headers['cache-control']).toBe('no-cache');
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

  it('comes with a strict content security policy', async () => {
    const policy = (await things.http.app.inject('/')).headers['content-security-policy'];
    expect(policy).toBe(
      "default-src 'self';script-src 'self';style-src 'self' 'unsafe-inline';img-src 'self' data:;connect-src 'self';frame-ancestors 'none';base-uri 'none';form-action 'self'",
    );
  });
});
