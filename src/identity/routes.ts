import { AppError, type Kernel, type Routes } from '../kernel/index.ts';
import { registerSecondFactorRoutes } from './defence/routes.ts';
import { visitorOf, welcome } from './entry.ts';
import { registerLoginRoutes } from './logins/routes.ts';
import { registerPeopleRoutes } from './people/routes.ts';
import { completeSetup } from './people/setup.ts';
import { me } from './queries.ts';
import { Me, SetupBody } from './schema.ts';

const tag = 'identity';

export function registerIdentityRoutes(routes: Routes, kernel: Kernel): void {
  registerLoginRoutes(routes, kernel);
  registerSecondFactorRoutes(routes, kernel);
  registerPeopleRoutes(routes, kernel);
  routes.open({
    method: 'GET',
    url: '/v1/me',
    permission: 'login',
    summary: 'Who is signed in, with workspaces, roles and permissions',
    tag,
    answers: { 200: Me },
    handler: async ({ userId }) => {
      if (!userId) throw new AppError('unauthenticated', 'Sign in first: POST /v1/login.');
      return { body: await me(kernel, userId) };
    },
  });
  routes.open({
    method: 'POST',
    url: '/v1/setup',
    permission: 'public',
    summary:
      'Choose a password with the token of a setup link, and sign in; 204 where a second factor has to be shown',
    tag,
    body: SetupBody,
    answers: { 200: Me, 204: null },
    handler: async ({ request, body }) => {
      const opened = await completeSetup(kernel, body, visitorOf(kernel, request));
      return opened ? welcome(kernel, request, opened) : { status: 204 };
    },
  });
}
