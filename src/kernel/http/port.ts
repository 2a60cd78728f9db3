import { type AddressInfo, createServer } from 'node:net';
import type { Config } from '../config.ts';
import { StartError } from '../errors.ts';

type Place = Pick<Config, 'host' | 'port'>;

/**
 * Finds out before anything else is opened whether the port can be had: making a database takes seconds
 * and would be for nothing. Throws StartError.
 */
export async function refuseBusyPort(place: Place): Promise<void> {
  const probe = createServer();
  await new Promise<void>((resolve, reject) => {
    probe.once('error', error => reject(listenFault(error, place)));
    probe.listen({ host: place.host, port: place.port }, () => probe.close(() => resolve()));
  });
}

/** The address that a person on this machine may open. */
export function addressOf(bound: AddressInfo | string | null, { host, port }: Place): string {
  const open = host === '0.0.0.0' || host === '::';
  const name = open ? 'localhost' : host.includes(':') ? `[${host}]` : host;
  return `http://${name}:${typeof bound === 'object' && bound ? bound.port : port}`;
}

/** What an operator can put right about it, as a StartError; anything else unchanged. */
export function listenFault(error: unknown, { host, port }: Place): unknown {
  const code = (error as { code?: string }).code;
  if (code === 'EADDRINUSE') {
    return new StartError(
      `Port ${port} on ${host} is in use by another program. Stop that one, or set CONVOKE_PORT to another port (0 takes a free one).`,
      { cause: error },
    );
  }
  if (code === 'EACCES') {
    return new StartError(
      `Port ${port} needs more rights than this user has. Set CONVOKE_PORT to a port above 1023.`,
      { cause: error },
    );
  }
  if (code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND') {
    return new StartError(
      `This machine has no address ${host}. Set CONVOKE_HOST to 127.0.0.1, 0.0.0.0 or one of its addresses.`,
      {
        cause: error,
      },
    );
  }
  return error;
}
