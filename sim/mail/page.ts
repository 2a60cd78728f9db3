import { readFileSync } from 'node:fs';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { CaughtMail } from './index.ts';

const FILES: Record<string, { type: string; body: Buffer }> = {
  '/': file('index.html', 'text/html'),
  '/main.js': file('main.js', 'text/javascript'),
  '/style.css': file('style.css', 'text/css'),
};

const OWN =
  "default-src 'self'; frame-src 'self'; frame-ancestors 'none'; form-action 'none'; base-uri 'none'";
/** A mail may look like something and do nothing. */
const OF_A_MAIL =
  "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'self'";

/** The page that lists the mails, the list as JSON, and each mail as it would look. */
export async function servePage(
  mails: (to?: string) => CaughtMail[],
  port: number,
): Promise<{ url: string; close(): Promise<void> }> {
  const server = createServer((request, response) => {
    const url = new URL(request.url ?? '/', 'http://localhost');
    const known = FILES[url.pathname];
    const id = /^\/mails\/([0-9a-f-]{36})\/html$/.exec(url.pathname)?.[1];
    const mail = id === undefined ? undefined : mails().find(one => one.id === id);
    if (known) answer(response, 200, known.type, known.body, OWN);
    else if (url.pathname === '/mails') {
      const data = mails(url.searchParams.get('to') ?? undefined);
      answer(response, 200, 'application/json', JSON.stringify({ data }), OWN);
    } else if (mail) answer(response, 200, 'text/html', mail.html, OF_A_MAIL);
    else answer(response, 404, 'text/plain', 'There is nothing at this address.', OWN);
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', resolve);
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: async () => {
      server.closeAllConnections();
      await new Promise<void>(resolve => server.close(() => resolve()));
    },
  };
}

function answer(
  response: ServerResponse,
  status: number,
  type: string,
  body: Buffer | string,
  policy: string,
) {
  response.writeHead(status, {
    'content-type': `${type}; charset=utf-8`,
    'content-security-policy': policy,
    'x-content-type-options': 'nosniff',
    'referrer-policy': 'no-referrer',
    'cache-control': 'no-store',
  });
  response.end(body);
}

function file(name: string, type: string): { type: string; body: Buffer } {
  return { type, body: readFileSync(new URL(`./page/${name}`, import.meta.url)) };
}
