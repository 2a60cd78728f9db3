import type { FastifyRequest } from 'fastify';
import type { Kernel, Reply } from '../kernel/index.ts';
import { LOGIN_COOKIE, loginToken } from './gate.ts';
import { logout, type NewLogin, type Visitor } from './logins.ts';
import { me } from './queries.ts';

/** Lets somebody in. A login that the browser still had is over: nobody keeps using it behind the new one. */
export async function welcome(kernel: Kernel, request: FastifyRequest, opened: NewLogin): Promise<Reply> {
  const before = loginToken(request);
  if (before) await logout(kernel, before);
  return {
    body: await me(kernel, opened.userId),
    headers: { 'set-cookie': cookieOf(kernel, request, opened.token, opened.expiresAt) },
  };
}

export function cookieOf(kernel: Kernel, request: FastifyRequest, value: string, expires: Date): string {
  return request.server.serializeCookie(LOGIN_COOKIE, value, {
    path: '/',
    httpOnly: true,
    sameSite: 'lax',
    secure: kernel.config.publicUrl?.startsWith('https:') === true,
    expires,
  });
}

export function visitorOf(request: FastifyRequest): Visitor {
  return { address: request.ip, userAgent: request.headers['user-agent'] };
}
