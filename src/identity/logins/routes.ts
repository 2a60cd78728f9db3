import type { FastifyRequest } from 'fastify';
import { IdParams, type Kernel, notFound, pageOf, type Reply, type Routes } from '../../kernel/index.ts';
import { visitorOf, welcome } from '../entry.ts';
import {
  ClientTokens,
  CodeLoginBody,
  EndLoginsQuery,
  Login,
  LoginBody,
  Me,
  RefreshBody,
  SecondFactorWanted,
  StreamPass,
} from '../schema.ts';
import { signedOut } from './cookies.ts';
import { listLogins } from './devices.ts';
import { loginOf, loginToken } from './gate.ts';
import { endLogin, endLoginsOf, logout } from './logins.ts';
import type { ClientTokens as Tokens } from './opening.ts';
import { refreshLogin } from './refresh.ts';
import { type SignedIn, signIn, signInWithCode } from './sign-in.ts';
import { givePass } from './stream-passes.ts';

const tag = 'identity';

export function registerLoginRoutes(routes: Routes, kernel: Kernel): void {
  registerSignIn(routes, kernel);
  registerRefresh(routes, kernel);
  registerOwnLogins(routes, kernel);
}

function registerSignIn(routes: Routes, kernel: Kernel): void {
  routes.open({
    method: 'POST',
    url: '/v1/login',
    duringMaintenance: true,
    permission: 'public',
    summary:
      'Sign in; 200 sets the cookie of a browser, 201 gives a client its tokens, 202 asks for the second factor',
    tag,
    body: LoginBody,
    answers: { 200: Me, 201: ClientTokens, 202: SecondFactorWanted },
    handler: async ({ request, body }) =>
      answerTo(kernel, request, await signIn(kernel, body, visitorOf(kernel, request))),
  });
  routes.open({
    method: 'POST',
    url: '/v1/login/second-factor',
    duringMaintenance: true,
    permission: 'public',
    summary: 'Finish a sign-in with a code of the authenticator app or a recovery code',
    tag,
    body: CodeLoginBody,
    answers: { 200: Me, 201: ClientTokens },
    handler: async ({ request, body }) =>
      answerTo(kernel, request, await signInWithCode(kernel, body, visitorOf(kernel, request))),
  });
  routes.open({
    method: 'POST',
    url: '/v1/logout',
    duringMaintenance: true,
    permission: 'public',
    summary: 'Sign out; does nothing for who is not signed in',
    tag,
    answers: { 204: null },
    handler: async ({ request }) => {
      const token = loginToken(kernel, request);
      if (token) await logout(kernel, token);
      return { headers: { 'set-cookie': signedOut(kernel.config, request) } };
    },
  });
}

function registerRefresh(routes: Routes, kernel: Kernel): void {
  routes.open({
    method: 'POST',
    url: '/v1/login/refresh',
    duringMaintenance: true,
    permission: 'public',
    summary: 'Get new tokens for a refresh token, which works once; shown again later it ends the login',
    tag,
    body: RefreshBody,
    answers: { 200: ClientTokens },
    handler: async ({ request, body }) => ({
      body: tokensView(await refreshLogin(kernel, body.refresh_token, visitorOf(kernel, request))),
    }),
  });
  routes.open({
    method: 'POST',
    url: '/v1/me/stream-passes',
    duringMaintenance: true,
    permission: 'login',
    summary: 'Get a pass that opens one stream within 30 seconds, for readers that can send no header',
    tag,
    answers: { 201: StreamPass },
    handler: async ({ request }) => {
      const { pass, expiresAt } = await givePass(kernel, loginOf(request));
      return { body: { pass, expires_at: expiresAt.toISOString() } };
    },
  });
}

function registerOwnLogins(routes: Routes, kernel: Kernel): void {
  routes.open({
    method: 'GET',
    url: '/v1/me/logins',
    permission: 'login',
    summary: 'List where one is signed in, the login seen last first',
    tag,
    answers: { 200: pageOf(Login) },
    handler: async ({ request }) => ({
      body: { data: await listLogins(kernel, loginOf(request)), page: { next_cursor: null } },
    }),
  });
  routes.open({
    method: 'DELETE',
    url: '/v1/me/logins/:id',
    duringMaintenance: true,
    permission: 'login',
    summary: 'Sign one device out',
    tag,
    params: IdParams,
    answers: { 204: null },
    handler: async ({ request, params }) => {
      const { userId, id } = loginOf(request);
      const ended = await kernel.database.inEngine('identity.end_login', tx =>
        endLogin(tx, userId, params.id),
      );
      if (!ended) throw notFound();
      return params.id === id ? { headers: { 'set-cookie': signedOut(kernel.config, request) } } : {};
    },
  });
  routes.open({
    method: 'DELETE',
    url: '/v1/me/logins',
    duringMaintenance: true,
    permission: 'login',
    summary: 'Sign out everywhere',
    tag,
    query: EndLoginsQuery,
    answers: { 204: null },
    handler: async ({ request, query }) => {
      const { userId, id } = loginOf(request);
      const keep = query.keep_this === 'true' ? id : undefined;
      await kernel.database.inEngine('identity.end_logins', tx => endLoginsOf(tx, userId, keep));
      return keep === undefined ? { headers: { 'set-cookie': signedOut(kernel.config, request) } } : {};
    },
  });
}

async function answerTo(kernel: Kernel, request: FastifyRequest, signedIn: SignedIn): Promise<Reply> {
  if ('browser' in signedIn) return { ...(await welcome(kernel, request, signedIn.browser)), status: 200 };
  if ('client' in signedIn) return { status: 201, body: tokensView(signedIn.client) };
  const { challenge, expiresAt } = signedIn;
  return { status: 202, body: { challenge, expires_at: expiresAt.toISOString() } };
}

function tokensView({ access, accessExpiresAt, refresh, refreshExpiresAt }: Tokens) {
  return {
    access_token: access,
    access_expires_at: accessExpiresAt.toISOString(),
    refresh_token: refresh,
    refresh_expires_at: refreshExpiresAt.toISOString(),
  };
}
