import type { FastifyRequest } from 'fastify';
import { AppError } from '../errors.ts';

const SAFE = new Set(['GET', 'HEAD', 'OPTIONS']);

/**
 * Refuses changes that another web site makes a browser send. A request with a cookie must prove that
 * it comes from our own pages; one without a cookie may come from anywhere but a foreign page.
 * Throws `foreign_origin`.
 */
export function refuseForeignOrigin(request: FastifyRequest, publicUrl: string | undefined): void {
  if (SAFE.has(request.method)) return;
  const { origin, host, cookie } = request.headers;
  const site = request.headers['sec-fetch-site'];
  if (origin !== undefined) {
    if (isOwn(origin, host, publicUrl)) return;
  } else if (site !== undefined) {
    if (site === 'same-origin' || site === 'none') return;
  } else if (cookie === undefined) {
    return;
  }
  throw new AppError(
    'foreign_origin',
    'A change with a login cookie must come from the pages of this Convoke. Send the header "Origin" with its address; behind a proxy set CONVOKE_PUBLIC_URL.',
  );
}

function isOwn(origin: string, host: string | undefined, publicUrl: string | undefined): boolean {
  if (!URL.canParse(origin)) return false;
  const url = new URL(origin);
  return url.origin === publicUrl || (url.host !== '' && url.host === host);
}
