import { readdirSync, readFileSync } from 'node:fs';
import type { ServerResponse } from 'node:http';
import { extname } from 'node:path';

export type Page = { type: string; body: Buffer };

const TYPES: Record<string, string> = {
  '.html': 'text/html; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.svg': 'image/svg+xml',
};

/** The files of the virtual phones' page by address; read once, so no request can name another file. */
export function readPages(): Map<string, Page> {
  const folder = new URL('../page/', import.meta.url);
  const pages = new Map<string, Page>();
  for (const name of readdirSync(folder)) {
    const type = TYPES[extname(name)];
    if (!type) continue;
    const page = { type, body: readFileSync(new URL(name, folder)) };
    pages.set(name === 'index.html' ? '/' : `/${name}`, page);
  }
  return pages;
}

export function sendPage(response: ServerResponse, page: Page): void {
  response.writeHead(200, {
    'content-type': page.type,
    'content-security-policy':
      "default-src 'self'; frame-ancestors 'none'; form-action 'none'; base-uri 'none'",
    'x-content-type-options': 'nosniff',
    'cache-control': 'no-cache',
  });
  response.end(page.body);
}
