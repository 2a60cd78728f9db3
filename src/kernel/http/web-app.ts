import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import fastifyStatic from '@fastify/static';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { AppError, notFound } from '../errors.ts';
import { NONCE_PLACE, pageWithStyles } from './content-policy.ts';

export const WEB_ROOT = fileURLToPath(new URL('../../../web/dist', import.meta.url));

type Known = { method: string; pattern: RegExp };

/**
 * What no route answers: pages of the web app for browsers (the app itself routes, so every page is
 * index.html), 405 for a known address with another method, and 404 for the rest.
 */
export async function answerUnknownAddresses(app: FastifyInstance, webRoot: string): Promise<void> {
  const known: Known[] = [];
  app.addHook('onRoute', route => {
    // Who may not enter the console does not learn what is there.
    if (route.config?.permission === 'admin') return;
    for (const method of [route.method].flat()) known.push({ method, pattern: patternOf(route.url) });
  });
  await app.register(fastifyStatic, {
    root: webRoot,
    serve: false,
    suppressWarning: true,
    cacheControl: false,
  });
  app.setNotFoundHandler(async (request, reply) => {
    const path = pathOf(request);
    const methods = new Set(known.filter(one => one.pattern.test(path)).map(one => one.method));
    if (methods.size > 0) {
      reply.header('allow', [...methods].join(', '));
      throw new AppError('method_not_allowed', `This address answers ${[...methods].join(', ')}.`);
    }
    if (isApi(path) || (request.method !== 'GET' && request.method !== 'HEAD')) throw notFound();
    return sendPage(reply, webRoot, path);
  });
}

function sendPage(reply: FastifyReply, webRoot: string, path: string): FastifyReply {
  if (path !== '/' && isFile(webRoot, path)) {
    const lasting = path.startsWith('/assets/');
    return reply
      .header('cache-control', lasting ? 'public, max-age=31536000, immutable' : 'no-cache')
      .sendFile(path.slice(1));
  }
  if (/\.[a-z0-9]+$/i.test(path)) throw notFound();
  const built = isFile(webRoot, 'index.html');
  const text = built ? readFileSync(join(webRoot, 'index.html'), 'utf8') : NOT_BUILT;
  const { body, headers } = pageWithStyles(nonce => text.replaceAll(NONCE_PLACE, nonce));
  return reply
    .code(built ? 200 : 503)
    .headers(headers)
    .send(body);
}

function isFile(webRoot: string, path: string): boolean {
  if (path.split(/[\\/]/).some(part => part.startsWith('.')) || path.includes('\0')) return false;
  return statSync(join(webRoot, path), { throwIfNoEntry: false })?.isFile() === true;
}

function pathOf(request: FastifyRequest): string {
  const [path = '/'] = request.url.split('?');
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
}

function isApi(path: string): boolean {
  return path === '/v1' || path.startsWith('/v1/');
}

function patternOf(url: string): RegExp {
  const source = url.replace(/[.*+?^${}()|[\]\\]/g, '\\$&').replace(/:[A-Za-z_]+/g, '[^/]+');
  return new RegExp(`^${source}$`);
}

const NOT_BUILT = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Convoke</title>
<style nonce="${NONCE_PLACE}">body{font:16px/1.5 system-ui,sans-serif;max-width:40rem;margin:4rem auto;padding:0 1rem}</style>
<h1>The web app is not built yet</h1>
<p>The server runs and the API answers; see <a href="/docs">its documents</a>.
For the pages run <code>npx node scripts/build-web.ts</code> in the folder of Convoke and load this page again.</p>
</html>
`;
