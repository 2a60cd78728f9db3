import { queryOptions } from '@tanstack/react-query';
import type { Instance, ProfileChange, SignUpCompletion } from '../../../../src/identity/people/schema.ts';
import type { Me } from '../../../../src/identity/schema.ts';
import { request } from '../../../kit/api.ts';

export type { Instance, ProfileChange };

export const instanceQuery = queryOptions({
  queryKey: ['instance'],
  queryFn: ({ signal }) => request<Instance>('GET', '/v1/instance', { signal }),
  staleTime: 5 * 60_000,
});

export function askToSignUp(email: string): Promise<void> {
  return request('POST', '/v1/sign-up', { body: { email } });
}

export type Completion = Partial<SignUpCompletion> &
  Pick<SignUpCompletion, 'token' | 'name' | 'password' | 'accept_terms'>;

export function completeSignUp(completion: Completion): Promise<Me> {
  return request('POST', '/v1/sign-up/complete', { body: completion });
}

export function askForReset(name: string): Promise<void> {
  return request('POST', '/v1/password/forgot', { body: { name } });
}

/** Undefined where the person still has to show a second factor at the sign-in. */
export function resetPassword(token: string, password: string): Promise<Me | undefined> {
  return request('POST', '/v1/password/reset', { body: { token, password } });
}

export function changePassword(current: string, chosen: string): Promise<Me> {
  return request('POST', '/v1/me/password', { body: { current, new: chosen } });
}

export function askToChangeEmail(email: string, password: string): Promise<void> {
  return request('POST', '/v1/me/email', { body: { email, password } });
}

export function confirmEmail(token: string): Promise<Me> {
  return request('POST', '/v1/me/email/confirm', { body: { token } });
}

export function changeProfile(change: ProfileChange): Promise<Me> {
  return request('PATCH', '/v1/me', { body: change });
}

export function acceptTerms(version: string): Promise<Me> {
  return request('POST', '/v1/me/terms', { body: { version } });
}
