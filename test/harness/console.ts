import { afterAll, beforeAll, beforeEach, expect } from 'vitest';
import { z } from 'zod';
import type { AdminUserPage } from '../../src/identity/admin/schema.ts';
import {
  createGate,
  createMaintenance,
  createUser,
  registerAdminRoutes,
  registerIdentityCommands,
  registerIdentityRoutes,
} from '../../src/identity/index.ts';
import {
  type Author,
  createCommands,
  createHttp,
  type Http,
  INSTANCE,
  readConfig,
} from '../../src/kernel/index.ts';
import { type TestKernel, testKernel } from './database.ts';
import { until } from './until.ts';

export const PASSWORD = 'correct horse battery';
const ORIGIN = 'http://convoke.test';

export type Method = 'GET' | 'POST' | 'PATCH' | 'DELETE';

/**
 * The console behind HTTP with anna, who runs the installation, and a second node, without mail, on the same database. To be called at
 * the top of a test file: it opens before the tests, is swept before each, and closes after them.
 */
export function consoleHouse() {
  let kernel: TestKernel;
  let other: TestKernel;
  let http: Http;
  let closed: string[];
  let anna: { id: string; cookie: string };
  const commands = createCommands();

  beforeAll(async () => {
    kernel = await testKernel({
      config: readConfig({
        CONVOKE_SANDBOX: '1',
        CONVOKE_SMTP_URL: 'smtp://mail.invalid:25',
        CONVOKE_MAIL_FROM: 'Convoke <convoke@example.org>',
      }),
    });
    other = await testKernel({ database: kernel.database });
    http = await createHttp(kernel, createGate(kernel), { maintenance: createMaintenance(kernel) });
    registerIdentityRoutes(http, kernel);
    registerIdentityCommands(commands, kernel);
    registerAdminRoutes(http, kernel, async scope => void closed.push(scope.workspaceId));
    http.open({
      method: 'POST',
      url: '/v1/write',
      permission: 'login',
      summary: 'Changes something',
      tag: 'test',
      answers: { 200: z.object({}) },
      handler: async () => ({ body: {} }),
    });
    await http.app.ready();
  });
  afterAll(async () => {
    await http.close();
    await other.close();
    await kernel.close();
  });
  beforeEach(async () => {
    closed = [];
    await kernel.database.inEngine('test.clear', async tx => {
      await tx.deleteFrom('members').execute();
      await tx.deleteFrom('users').execute();
      await tx.deleteFrom('workspaces').execute();
      // Nobody here signs in too often.
      for (const table of ['limit_hits', 'login_failures'] as const) await tx.deleteFrom(table).execute();
      await tx
        .updateTable('instance_settings')
        .set({ maintenance_since: null, maintenance_note: null, sign_up: 'invitation' })
        .execute();
    });
    const id = await createUser(kernel, { username: 'anna', password: PASSWORD, isAdmin: true });
    anna = { id, cookie: await signIn('anna') };
    await writesAnswer(200);
  });

  async function call<T = { code?: string; detail?: string }>(
    method: Method,
    url: string,
    body?: object,
    cookie: string | undefined = anna.cookie,
  ) {
    const answer = await http.app.inject({
      method,
      url,
      headers: { host: 'convoke.test', origin: ORIGIN, ...(cookie ? { cookie } : {}) },
      ...(body ? { payload: body } : {}),
    });
    return {
      status: answer.statusCode,
      body: (answer.body ? answer.json() : undefined) as T,
      headers: answer.headers,
    };
  }

  async function signIn(username: string): Promise<string> {
    const { status, headers } = await call('POST', '/v1/login', { username, password: PASSWORD }, '');
    expect(status).toBe(200);
    return [headers['set-cookie']].flat()[0]?.split(';')[0] ?? '';
  }

  /** A node hears of a change just after whoever made it was answered. */
  const writesAnswer = (status: number, cookie?: string) =>
    until(async () => (await call('POST', '/v1/write', {}, cookie)).status === status);

  return {
    /** What stands only once the house is open. */
    get kernel() {
      return kernel;
    },
    /** The second node. */
    get other() {
      return other;
    },
    get http() {
      return http;
    },
    get anna() {
      return anna;
    },
    /** Workspaces that were closed since the test began. */
    get closed() {
      return closed;
    },
    commands,
    call,
    signIn,
    writesAnswer,
    user: async (username: string, more: { isAdmin?: boolean } = {}) => {
      const id = await createUser(kernel, { username, password: PASSWORD, ...more });
      return { id, cookie: await signIn(username) };
    },
    /** What was done in the console, newest first. */
    facts: () =>
      kernel.database.inEngine('test.facts', tx =>
        tx
          .selectFrom('activity')
          .select(['type', 'actor_id', 'address', 'subject_id', 'payload'])
          .where('workspace_id', '=', INSTANCE)
          .where('type', 'like', 'admin.%')
          .orderBy('id', 'desc')
          .execute(),
      ),
    admins: async () =>
      (await call<z.output<typeof AdminUserPage>>('GET', '/v1/admin/users')).body.data.filter(
        one => one.is_admin,
      ),
  };
}

export const withoutRequestId = (body: object | undefined) => ({ ...body, request_id: undefined });

/** A user who acts, from somewhere. */
export const as = (id: string): Author => ({ actor: { kind: 'user', id }, address: '203.0.113.7' });
