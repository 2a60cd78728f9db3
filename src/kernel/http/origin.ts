import type { FastifyRequest } from 'fastify';
import { AppError } from '../errors.ts';

const SAFE = new Set(['GET', 'HEAD', 'OPTIONS']);

/**
 * Refuses changes that another web site makes a browser send. Browsers name the page that a change
 * comes from; a client that names none is no browser and carries only what its owner gave it.
 * Throws `foreign_origin`.
 */
export function refuseForeignOrigin(request: FastifyRequest, publicUrl: string | undefined): void {
  if (SAFE.has(request.method)) return;
  const { origin, host } = request.headers;
  const site = request.headers['sec-fetch-site'];
  if (origin !== undefined) {
    if (isOwn(origin, host, publicUrl)) return;
  } else if (site === undefined || site === 'same-origin' || site === 'none') {
    return;
  }
  throw new AppError(
    'foreign_origin',
    'Changes are accepted from the pages of this Convoke only. Behind a proxy, set CONVOKE_PUBLIC_URL to the address that people open.',
  );
}

function isOwn(origin: string, host: string | undefined, publicUrl: string | undefined): boolean {
  if (!URL.canParse(origin)) return false;
  const url = new URL(origin);
  return url.origin === publicUrl || (url.host !== '' && url.host === host);
}
