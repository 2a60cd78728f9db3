import { queryOptions } from '@tanstack/react-query';
import type { Me } from '../../../src/identity/schema.ts';
import { request } from '../../kit/api.ts';

export type Person = Me['user'];

export const meQuery = queryOptions({
  queryKey: ['me'],
  queryFn: ({ signal }) => request<Me>('GET', '/v1/me', { signal }),
  staleTime: 5 * 60_000,
});

type Challenge = { challenge: string };

/** Signs in, or gives back the challenge that wants the second factor. */
export async function signIn(username: string, password: string): Promise<Challenge | undefined> {
  const answer = await request<Me | Challenge>('POST', '/v1/login', { body: { username, password } });
  return 'challenge' in answer ? answer : undefined;
}

export function signInWithCode(challenge: string, code: string): Promise<unknown> {
  return request('POST', '/v1/login/second-factor', { body: { challenge, code } });
}

export function signOut(): Promise<unknown> {
  return request('POST', '/v1/logout');
}

/** Sets a password by a one-time link. Undefined where the person still has to show a second factor at the sign-in. */
export function chooseFirstPassword(token: string, password: string): Promise<Me | undefined> {
  return request('POST', '/v1/setup', { body: { token, password } });
}
