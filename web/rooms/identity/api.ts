import { queryOptions } from '@tanstack/react-query';
import type { Me } from '../../../src/identity/schema.ts';
import { request } from '../../kit/api.ts';

export const meQuery = queryOptions({
  queryKey: ['me'],
  queryFn: ({ signal }) => request<Me>('GET', '/v1/me', { signal }),
  staleTime: 5 * 60_000,
});

export function signIn(username: string, password: string): Promise<unknown> {
  return request('POST', '/v1/login', { body: { username, password } });
}

export function signOut(): Promise<unknown> {
  return request('POST', '/v1/logout');
}

/** Sets the first password by a one-time link; the person is signed in afterwards. */
export function chooseFirstPassword(token: string, password: string): Promise<unknown> {
  return request('POST', '/v1/setup', { body: { token, password } });
}
