import { randomBytes } from 'node:crypto';

/** Stands in the built page of the web app where each answer puts its own nonce. */
export const NONCE_PLACE = '{{style-nonce}}';

/**
 * What a browser may load and run with our answers: files of our own. Only the page that was answered with
 * a nonce may have `<style>` elements, and only those that carry it.
 */
export function contentPolicy(nonce?: string): string {
  return [
    "default-src 'self'",
    "script-src 'self'",
    nonce === undefined ? "style-src 'self'" : `style-src 'self' 'nonce-${nonce}'`,
    "img-src 'self' data:",
    "connect-src 'self'",
    "object-src 'none'",
    "frame-ancestors 'none'",
    "base-uri 'none'",
    "form-action 'self'",
  ].join(';');
}

/** A page made for one answer; its nonce is worth something once, so nothing may keep the page. */
export function pageWithStyles(page: (nonce: string) => string): {
  body: string;
  headers: Record<string, string>;
} {
  const nonce = randomBytes(18).toString('base64url');
  return {
    body: page(nonce),
    headers: {
      'content-type': 'text/html; charset=utf-8',
      'content-security-policy': contentPolicy(nonce),
      'cache-control': 'no-store',
    },
  };
}
