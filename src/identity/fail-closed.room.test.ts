import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import {
  appCode,
  cookiesOf,
  type IdentityHouse,
  identityHouse,
  PASSWORD,
} from '../../test/harness/identity.ts';
import { channelsOfKeys } from '../channels/index.ts';
import { newId, registerLiveRoute } from '../kernel/index.ts';
import { registerAdminRoutes } from './admin/routes.ts';
import { registerKeyRoutes } from './keys/routes.ts';

type Answer = { statusCode: number; headers: Record<string, unknown>; body: string };
/** A way in: what it needs beforehand, and the step that lets in. Each step is made anew, since some open only once. */
type Entrance = () => Promise<() => Promise<Answer>>;

const HALF_MINUTE_MS = 30_000;
const FAULTS = ['database_unavailable', 'internal'];

let house: IdentityHouse;
let url: string;

beforeAll(async () => {
  house = await identityHouse();
  registerKeyRoutes(house.http, channelsOfKeys);
  registerAdminRoutes(house.http, house.kernel, async () => undefined);
  registerLiveRoute(house.http);
  url = await house.http.listen();
});
afterAll(() => house.close());
beforeEach(async () => {
  await house.clear();
  const id = await house.member('anna');
  await house.kernel.database.inEngine('test.admin', tx =>
    tx.updateTable('users').set({ is_admin: true }).where('id', '=', id).execute(),
  );
});

const signIn = (more: object = {}, username = 'anna') =>
  house.post('/v1/login', { username, password: PASSWORD, ...more });
const cookieIn = async () => ({ cookie: cookiesOf(await signIn(), 'convoke_login') });
const tokensIn = async () =>
  (await signIn({ kind: 'client' })).json() as { access_token: string; refresh_token: string };

/** A question for the second factor that waits for its answer. */
async function question() {
  const headers = await cookieIn();
  const { secret } = (await house.post('/v1/me/second-factor', { password: PASSWORD }, headers)).json();
  const code = () => appCode(secret, house.kernel.clock.now());
  await house.post('/v1/me/second-factor/confirm', { code: code() }, headers);
  house.pass(HALF_MINUTE_MS);
  const { challenge } = (await signIn()).json();
  return () => house.post('/v1/login/second-factor', { challenge, code: code() });
}

/** Only its beginning: a stream that opens is cut at once. */
async function streamed(query: string, headers: Record<string, string> = {}): Promise<Answer> {
  const cut = new AbortController();
  const answer = await fetch(`${url}/v1/live?${query}`, { headers, signal: cut.signal });
  const body = answer.ok ? '' : await answer.text();
  cut.abort();
  return { statusCode: answer.status, headers: {}, body };
}

const entrances: Record<string, { way: Entrance; needs: string[] }> = {
  'the password': {
    way: async () => () => signIn(),
    needs: ['users', 'login_failures', 'limit_hits', 'logins', 'login_tokens', 'known_devices'],
  },
  'the second factor': {
    way: question,
    needs: ['login_challenges', 'second_factors', 'login_failures', 'logins', 'login_tokens'],
  },
  'a cookie': {
    way: async () => {
      const headers = await cookieIn();
      return () => house.get('/v1/me', headers);
    },
    needs: ['login_tokens', 'logins', 'users', 'instance_settings'],
  },
  'a cookie, to a workspace': {
    way: async () => {
      const headers = await cookieIn();
      return () => house.get('/v1/api-keys', headers);
    },
    needs: ['login_tokens', 'logins', 'users', 'instance_settings', 'members', 'workspaces'],
  },
  'a cookie, to the console': {
    way: async () => {
      const headers = await cookieIn();
      return () => house.get('/v1/admin/settings', headers);
    },
    needs: ['login_tokens', 'logins', 'users'],
  },
  'an access token': {
    way: async () => {
      const { access_token } = await tokensIn();
      return () => house.get('/v1/me', { authorization: `Bearer ${access_token}` });
    },
    needs: ['login_tokens', 'logins', 'users', 'instance_settings'],
  },
  'a refresh token': {
    way: async () => {
      const { refresh_token } = await tokensIn();
      return () => house.post('/v1/login/refresh', { refresh_token });
    },
    needs: ['login_tokens', 'logins', 'users'],
  },
  'a pass for a stream': {
    way: async () => {
      const authorization = `Bearer ${(await tokensIn()).access_token}`;
      const { pass } = (await house.post('/v1/me/stream-passes', {}, { authorization })).json();
      return () => streamed(`workspace=demo&pass=${pass}`);
    },
    needs: ['login_tokens', 'logins', 'users', 'members'],
  },
  'an API key': {
    way: async () => {
      const made = await house.post('/v1/api-keys', { name: 'Door', scopes: ['read'] }, await cookieIn());
      const headers = { 'x-api-key': made.json().key as string };
      return () => streamed('', headers);
    },
    needs: ['api_keys', 'workspaces'],
  },
  'a wish for a mail': {
    way: async () => () => house.post('/v1/password/forgot', { name: `anna-${newId()}` }),
    needs: ['limit_hits', 'jobs'],
  },
};

/** As the owner of the tables, past both doors. */
async function asOwner(script: string): Promise<void> {
  const connection = await house.kernel.database.engine.acquire();
  try {
    await connection.script(script);
  } finally {
    connection.release();
  }
}

async function without(away: string, back: string, step: () => Promise<Answer>): Promise<Answer> {
  await asOwner(away);
  try {
    return await step();
  } finally {
    await asOwner(back);
  }
}

function expectClosed(answer: Answer, what: string): void {
  expect(answer.statusCode, `${what}: ${answer.body}`).toBeGreaterThanOrEqual(500);
  expect(FAULTS).toContain(JSON.parse(answer.body).code);
  expect(answer.headers['set-cookie'], what).toBeUndefined();
}

describe.each(Object.entries(entrances))('%s', (_, { way, needs }) => {
  it('lets in when all is well', async () => {
    expect((await (await way())()).statusCode).toBeLessThan(300);
  });

  it('lets nobody in when something cannot be looked up or counted', async () => {
    const step = await way();
    for (const table of needs) {
      await house.forgetLimits();
      const answer = await without(
        `alter table ${table} rename to ${table}_away`,
        `alter table ${table}_away rename to ${table}`,
        step,
      );
      expectClosed(answer, table);
    }
  });

  it('lets nobody in without a database', async () => {
    const step = await way();
    const answer = await without(
      'alter schema public rename to away',
      'alter schema away rename to public',
      step,
    );
    expectClosed(answer, 'all');
  });
});

describe('a key that does not open', () => {
  it('lets nobody in whose second factor cannot be read', async () => {
    const step = await question();
    await house.kernel.database.inEngine('test.damage', tx =>
      tx
        .updateTable('second_factors')
        .set({ secret: Buffer.alloc(64, 1) })
        .execute(),
    );
    expectClosed(await step(), 'the secret');
  });
});
