import type { FastifyRequest } from 'fastify';
import type { Kernel, Reply } from '../kernel/index.ts';
import { deviceCookie, setDevice, setLogin } from './logins/cookies.ts';
import { loginToken } from './logins/gate.ts';
import { logout, type Visitor } from './logins/logins.ts';
import type { NewLogin } from './logins/opening.ts';
import { me } from './queries.ts';

/** Lets somebody in. A login that the browser still had is over: nobody keeps using it behind the new one. */
export async function welcome(kernel: Kernel, request: FastifyRequest, opened: NewLogin): Promise<Reply> {
  const before = loginToken(kernel, request);
  if (before) await logout(kernel, before);
  const { config, clock } = kernel;
  return {
    body: await me(kernel, opened.userId),
    headers: {
      'set-cookie': [
        setLogin(config, request, opened),
        setDevice(config, request, opened.device, clock.now()),
      ],
    },
  };
}

export function visitorOf(kernel: Kernel, request: FastifyRequest): Visitor {
  return {
    address: request.ip,
    userAgent: request.headers['user-agent'],
    device: deviceCookie(kernel.config, request),
  };
}
