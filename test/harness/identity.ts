import { sql } from 'kysely';
import { TOTP } from 'otpauth';
import {
  addMember,
  createGate,
  createUser,
  createWorkspace,
  registerIdentityRoutes,
} from '../../src/identity/index.ts';
import { systemClock } from '../../src/kernel/clock.ts';
import { readConfig } from '../../src/kernel/config.ts';
import { createHttp, type Http } from '../../src/kernel/http/server.ts';
import { newId } from '../../src/kernel/ids.ts';
import { type TestKernel, testKernel } from './database.ts';

export const PASSWORD = 'correct horse battery';

type Headers = Record<string, string>;

/** The room of the logins behind HTTP, with a clock that can be set forward. */
export type IdentityHouse = Awaited<ReturnType<typeof identityHouse>>;

/** Open it in `beforeAll`, and `clear` it before each test. `env` adds to the configuration. */
export async function identityHouse(env: Record<string, string> = {}) {
  let ahead = 0;
  const clock = { ...systemClock, now: () => new Date(Date.now() + ahead) };
  const config = readConfig({ CONVOKE_PORT: '0', CONVOKE_DATA_DIR: `/tmp/convoke-test-${newId()}`, ...env });
  const kernel: TestKernel = await testKernel({ clock, config });
  const http: Http = await createHttp(kernel, createGate(kernel));
  registerIdentityRoutes(http, kernel);
  let workspaceId = '';

  const send = (
    method: 'GET' | 'POST' | 'PATCH' | 'DELETE',
    url: string,
    payload?: object,
    headers: Headers = {},
  ) => {
    const body = payload === undefined ? {} : { payload };
    return http.app.inject({ method, url, headers, ...body });
  };
  return {
    kernel,
    http,
    config,
    send,
    workspaceId: () => workspaceId,
    get: (url: string, headers: Headers = {}) => send('GET', url, undefined, headers),
    post: (url: string, payload: object = {}, headers: Headers = {}) => send('POST', url, payload, headers),
    /** Lets time pass, for all that follows. */
    pass: (ms: number) => {
      ahead += ms;
    },
    /** A house with nobody in it and one workspace; those of earlier tests are out of the way. */
    clear: async () => {
      await kernel.database.inEngine('test.clear', async tx => {
        for (const table of ['users', 'login_failures', 'limit_hits'] as const)
          await tx.deleteFrom(table).execute();
        await sql`update workspaces set slug = id::text`.execute(tx);
      });
      workspaceId = await createWorkspace(kernel, { slug: 'demo', name: 'Demo' });
    },
    /** Forgets what was counted against addresses, names and the installation. */
    forgetLimits: () =>
      kernel.database.inEngine('test.limits', tx => sql`delete from limit_hits`.execute(tx)),
    member: async (username: string, role: 'owner' | 'agent' | 'viewer' = 'owner') => {
      const userId = await createUser(kernel, { username, password: PASSWORD });
      await addMember(kernel, { workspaceId, userId, role });
      return userId;
    },
    close: async () => {
      await http.close();
      await kernel.close();
    },
  };
}

type Answer = { headers: Record<string, unknown> };

/** What a browser would send back, all cookies or the one of that name. */
export function cookiesOf(answer: Answer, name = ''): string {
  const all = [answer.headers['set-cookie'] ?? []].flat() as string[];
  return all
    .map(one => one.split(';')[0] ?? '')
    .filter(one => one.includes(name))
    .join('; ');
}

/** The code that an authenticator app would show for the secret at that moment. */
export function appCode(secret: string, at: Date): string {
  return new TOTP({ secret }).generate({ timestamp: at.getTime() });
}
