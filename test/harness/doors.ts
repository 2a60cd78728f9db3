import { afterAll, beforeAll, beforeEach, expect } from 'vitest';
import { z } from 'zod';
import {
  addMember,
  createGate,
  createUser,
  createWorkspace,
  registerIdentityRoutes,
} from '../../src/identity/index.ts';
import { createHttp, type Http } from '../../src/kernel/index.ts';
import { type TestKernel, testKernel } from './database.ts';

export const PASSWORD = 'correct horse battery';
export const ORIGIN = 'http://convoke.test';

const Where = z.object({
  workspace_id: z.string(),
  actor: z.unknown(),
  address: z.string(),
  may_manage: z.boolean(),
});

/**
 * The way in behind HTTP, with a workspace `demo` and a route that tells where a request acts. To be called at the top of
 * a test file: it opens before the tests, is swept before each, and closes after them.
 */
export function doorHouse() {
  let kernel: TestKernel;
  let http: Http;
  let workspaceId: string;

  beforeAll(async () => {
    kernel = await testKernel();
    http = await createHttp(kernel, createGate(kernel));
    registerIdentityRoutes(http, kernel);
    http.workspace({
      method: 'GET',
      url: '/v1/where',
      permission: 'channels.read',
      summary: 'Which workspace a request acts in',
      tag: 'test',
      answers: { 200: Where },
      handler: async ({ scope }) => ({
        body: {
          workspace_id: scope.workspaceId,
          actor: scope.actor,
          address: scope.address,
          may_manage: scope.may('channels.manage'),
        },
      }),
    });
    http.workspace({
      method: 'POST',
      url: '/v1/where',
      permission: 'channels.manage',
      summary: 'Changes nothing',
      tag: 'test',
      answers: { 204: null },
      handler: async () => ({}),
    });
    await http.app.ready();
  });
  afterAll(async () => {
    await http.close();
    await kernel.close();
  });
  beforeEach(async () => {
    await kernel.database.inEngine('test.clear', async tx => {
      await tx.deleteFrom('members').execute();
      await tx.deleteFrom('users').execute();
      await tx.deleteFrom('workspaces').execute();
      await tx.deleteFrom('login_failures').execute();
      await tx.deleteFrom('limit_hits').execute();
    });
    workspaceId = await createWorkspace(kernel, { slug: 'demo', name: 'Demo' });
  });

  const post = (url: string, payload: object, headers: Record<string, string> = {}) =>
    http.app.inject({
      method: 'POST',
      url,
      payload,
      headers: { host: 'convoke.test', origin: ORIGIN, ...headers },
    });

  return {
    /** What stands only once the house is open. */
    get kernel() {
      return kernel;
    },
    get http() {
      return http;
    },
    get workspaceId() {
      return workspaceId;
    },
    post,
    get: (url: string, headers: Record<string, string> = {}) => http.app.inject({ url, headers }),
    member: async (username: string, role: 'owner' | 'viewer' = 'owner'): Promise<string> => {
      const userId = await createUser(kernel, { username, password: PASSWORD });
      await addMember(kernel, { workspaceId, userId, role });
      return userId;
    },
    signIn: async (username: string, password = PASSWORD): Promise<string> => {
      const answer = await post('/v1/login', { username, password });
      expect(answer.statusCode).toBe(200);
      return loginCookieIn(answer);
    },
    logins: () =>
      kernel.database.inEngine('test.logins', tx => tx.selectFrom('logins').selectAll().execute()),
  };
}

export function cookiesIn(answer: { headers: Record<string, unknown> }): string[] {
  return [answer.headers['set-cookie'] ?? []].flat() as string[];
}

/** The login that a browser would keep of the answer. */
export function loginCookieIn(answer: { headers: Record<string, unknown> }): string {
  return cookiesIn(answer)[0]?.split(';')[0] ?? '';
}
