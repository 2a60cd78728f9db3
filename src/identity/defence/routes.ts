import type { FastifyRequest } from 'fastify';
import type { Kernel, Reply, Routes } from '../../kernel/index.ts';
import { setLogin } from '../logins/cookies.ts';
import { loginOf } from '../logins/gate.ts';
import { renewCookie } from '../logins/opening.ts';
import {
  FullProof,
  NewCode,
  PasswordProof,
  RecoveryCodes,
  SecondFactor,
  SecondFactorSetup,
} from '../schema.ts';
import { provePassword } from './proof.ts';
import {
  beginSecondFactor,
  confirmSecondFactor,
  removeSecondFactor,
  renewRecoveryCodes,
  secondFactorOf,
} from './second-factor.ts';

const tag = 'identity';
const url = '/v1/me/second-factor';

export function registerSecondFactorRoutes(routes: Routes, kernel: Kernel): void {
  registerSetup(routes, kernel);
  routes.open({
    method: 'GET',
    url,
    permission: 'login',
    summary: 'Whether a second factor is asked for, and how many recovery codes are left',
    tag,
    answers: { 200: SecondFactor },
    handler: async ({ request }) => ({ body: await secondFactorOf(kernel, loginOf(request).userId) }),
  });
  routes.open({
    method: 'DELETE',
    url,
    permission: 'login',
    summary: 'Take the second factor away, with password and code',
    tag,
    body: FullProof,
    answers: { 204: null },
    handler: async ({ request, body }) => {
      const { userId } = loginOf(request);
      await provePassword(kernel, userId, body.password);
      await removeSecondFactor(kernel, userId, body.code);
      return { headers: await renewed(kernel, request) };
    },
  });
  routes.open({
    method: 'POST',
    url: '/v1/me/recovery-codes',
    permission: 'login',
    summary: 'Make ten other recovery codes; the old ones open nothing any more',
    tag,
    body: FullProof,
    answers: { 200: RecoveryCodes },
    handler: async ({ request, body }) => {
      const { userId } = loginOf(request);
      await provePassword(kernel, userId, body.password);
      return { body: { recovery_codes: await renewRecoveryCodes(kernel, userId, body.code) } };
    },
  });
}

function registerSetup(routes: Routes, kernel: Kernel): void {
  routes.open({
    method: 'POST',
    url,
    permission: 'login',
    summary: 'Begin to set up an authenticator app as second factor, with the password',
    tag,
    body: PasswordProof,
    answers: { 200: SecondFactorSetup },
    handler: async ({ request, body }) => {
      const { userId } = loginOf(request);
      await provePassword(kernel, userId, body.password);
      return { body: await beginSecondFactor(kernel, userId) };
    },
  });
  routes.open({
    method: 'POST',
    url: `${url}/confirm`,
    permission: 'login',
    summary: 'Turn the second factor on with a first code of the app; gives the recovery codes',
    tag,
    body: NewCode,
    answers: { 200: RecoveryCodes },
    handler: async ({ request, body }) => {
      const codes = await confirmSecondFactor(kernel, loginOf(request).userId, body.code);
      return { body: { recovery_codes: codes }, headers: await renewed(kernel, request) };
    },
  });
}

/** Another token for the browser, whose rights have changed. */
async function renewed(kernel: Kernel, request: FastifyRequest): Promise<NonNullable<Reply['headers']>> {
  const login = loginOf(request);
  if (login.kind !== 'browser') return {};
  const cookie = await kernel.database.inEngine('identity.renew_cookie', tx => renewCookie(tx, login.id));
  return { 'set-cookie': setLogin(kernel.config, request, cookie) };
}
