import type { FastifyRequest } from 'fastify';
import type { Config } from '../../kernel/index.ts';

const DEVICE_LASTS_MS = 365 * 86_400_000;

/** On TLS the browser itself sees to it that no other host and no plain connection has set them. */
function nameOf(config: Config, name: 'convoke_login' | 'convoke_device'): string {
  return isSecure(config) ? `__Host-${name}` : name;
}

function isSecure({ publicUrl }: Config): boolean {
  return publicUrl?.startsWith('https:') === true;
}

/** The token of the login, as the browser brought it. */
export function loginCookie(config: Config, request: FastifyRequest): string | undefined {
  return request.cookies[nameOf(config, 'convoke_login')];
}

/** The token by which we know the browser again. */
export function deviceCookie(config: Config, request: FastifyRequest): string | undefined {
  return request.cookies[nameOf(config, 'convoke_device')];
}

/** The header that takes the login of a browser away. */
export function signedOut(config: Config, request: FastifyRequest): string {
  return setLogin(config, request, { token: '', expiresAt: new Date(0) });
}

/** The header that gives a browser its login. */
export function setLogin(
  config: Config,
  request: FastifyRequest,
  { token, expiresAt }: { token: string; expiresAt: Date },
): string {
  return cookie(config, request, { name: 'convoke_login', value: token, expires: expiresAt });
}

/** The header that makes the browser known to us when it comes again. */
export function setDevice(config: Config, request: FastifyRequest, device: string, now: Date): string {
  const expires = new Date(now.getTime() + DEVICE_LASTS_MS);
  return cookie(config, request, { name: 'convoke_device', value: device, expires });
}

type Cookie = { name: 'convoke_login' | 'convoke_device'; value: string; expires: Date };

function cookie(config: Config, request: FastifyRequest, { name, value, expires }: Cookie): string {
  return request.server.serializeCookie(nameOf(config, name), value, {
    path: '/',
    httpOnly: true,
    sameSite: 'lax',
    secure: isSecure(config),
    expires,
  });
}
