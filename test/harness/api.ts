import type { Demo } from './demo-process.ts';
import { keepSecret } from './heard.ts';

export type Answer<T = Record<string, unknown>> = { status: number; body: T; headers: Headers };

/** A signed-in client of the API, as an integrator would write one. */
export type Client = <T = Record<string, unknown>>(
  method: string,
  path: string,
  body?: unknown,
  headers?: Record<string, string>,
) => Promise<Answer<T>>;

export async function signIn(
  demo: Pick<Demo, 'url' | 'username' | 'password' | 'workspace'>,
): Promise<Client> {
  const cookie = await loginOf(demo);
  return clientOf(() => ({ url: demo.url, workspace: demo.workspace, cookie }));
}

/** The cookie of a new login, which outlives a restart. */
export async function loginOf(demo: Pick<Demo, 'url' | 'username' | 'password'>): Promise<string> {
  const response = await fetch(`${demo.url}/v1/login`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', origin: demo.url },
    body: JSON.stringify({ username: demo.username, password: demo.password }),
  });
  if (!response.ok) throw new Error(`Sign-in answered ${response.status}: ${await response.text()}`);
  const cookie = (response.headers.getSetCookie()[0] ?? '').split(';')[0] ?? '';
  keepSecret(cookie.split('=')[1] ?? '');
  return cookie;
}

/** A client that asks before each request where the program is now. */
export function clientOf(where: () => { url: string; workspace: string; cookie: string }): Client {
  return async <T>(method: string, path: string, body?: unknown, headers: Record<string, string> = {}) => {
    const { url, workspace, cookie } = where();
    const answer = await fetch(`${url}${path}`, {
      method,
      headers: {
        cookie,
        origin: url,
        'convoke-workspace': workspace,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await answer.text();
    return {
      status: answer.status,
      body: (text === '' ? undefined : JSON.parse(text)) as T,
      headers: answer.headers,
    };
  };
}

export type LedgerEntry = {
  id: string;
  chat: string;
  from: string;
  to: string;
  text: string;
  at: string;
  copies: number;
};

/** The control API of the WhatsApp simulator. */
export function simulatorClient(url: string) {
  const call = async <T>(method: string, path: string, body?: unknown): Promise<T> => {
    const response = await fetch(`${url}${path}`, {
      method,
      ...(body === undefined
        ? {}
        : { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${method} ${path} answered ${response.status}: ${text}`);
    return (text === '' ? undefined : JSON.parse(text)) as T;
  };
  return {
    call,
    ledger: async () => (await call<{ data: LedgerEntry[] }>('GET', '/ledger')).data,
    scan: (number: string, qr: string) => call('POST', `/phones/${encodeURIComponent(number)}/scan`, { qr }),
    enterCode: (number: string, code: string) =>
      call('POST', `/phones/${encodeURIComponent(number)}/link-code`, { code }),
    send: (number: string, to: string, text: string) =>
      call('POST', `/phones/${encodeURIComponent(number)}/send`, { to, text }),
  };
}
