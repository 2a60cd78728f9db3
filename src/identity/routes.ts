import { AppError, type Kernel, type Routes } from '../kernel/index.ts';
import { cookieOf, visitorOf, welcome } from './entry.ts';
import { loginToken } from './gate.ts';
import { completeSetup } from './links.ts';
import { login, logout } from './logins.ts';
import { me } from './queries.ts';
import { LoginBody, Me, SetupBody } from './schema.ts';

const tag = 'identity';

export function registerIdentityRoutes(routes: Routes, kernel: Kernel): void {
  routes.open({
    method: 'POST',
    url: '/v1/login',
    permission: 'public',
    summary: 'Sign in; the answer sets the cookie of the login',
    tag,
    body: LoginBody,
    answers: { 200: Me },
    handler: async ({ request, body }) => {
      const opened = await login(kernel, body, visitorOf(request));
      return welcome(kernel, request, opened);
    },
  });
  routes.open({
    method: 'POST',
    url: '/v1/logout',
    permission: 'public',
    summary: 'Sign out; does nothing for who is not signed in',
    tag,
    answers: { 204: null },
    handler: async ({ request }) => {
      const token = loginToken(request);
      if (token) await logout(kernel, token);
      return { headers: { 'set-cookie': cookieOf(kernel, request, '', new Date(0)) } };
    },
  });
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
    summary: 'Choose the first password with the token of a setup link, and sign in',
    tag,
    body: SetupBody,
    answers: { 200: Me },
    handler: async ({ request, body }) => {
      const opened = await completeSetup(kernel, body, visitorOf(request));
      return welcome(kernel, request, opened);
    },
  });
}
