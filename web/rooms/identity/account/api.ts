import { queryOptions } from '@tanstack/react-query';
import type { Login } from '../../../../src/identity/schema.ts';
import { request } from '../../../kit/api.ts';

export type { Login };

export const loginsQuery = queryOptions({
  queryKey: ['account', 'logins'],
  queryFn: async ({ signal }) => (await request<{ data: Login[] }>('GET', '/v1/me/logins', { signal })).data,
});

export function endLogin(id: string): Promise<void> {
  return request('DELETE', `/v1/me/logins/${id}`);
}

export function endOtherLogins(): Promise<void> {
  return request('DELETE', '/v1/me/logins', { query: { keep_this: 'true' } });
}

export type SecondFactor = { enabled: boolean; recovery_codes_left: number };

export const secondFactorQuery = queryOptions({
  queryKey: ['account', 'second-factor'],
  queryFn: ({ signal }) => request<SecondFactor>('GET', '/v1/me/second-factor', { signal }),
});

/** For good; `code` where a second factor is set up. */
export function deleteAccount(proof: { password: string; code?: string }): Promise<void> {
  return request('DELETE', '/v1/me', { body: proof });
}

export type Setup = { secret: string; otpauth_uri: string };

export function beginSecondFactor(password: string): Promise<Setup> {
  return request('POST', '/v1/me/second-factor', { body: { password } });
}

type RecoveryCodes = { recovery_codes: string[] };

export async function confirmSecondFactor(code: string): Promise<string[]> {
  const body = { code };
  return (await request<RecoveryCodes>('POST', '/v1/me/second-factor/confirm', { body })).recovery_codes;
}

export type Proof = { password: string; code: string };

export function removeSecondFactor(proof: Proof): Promise<void> {
  return request('DELETE', '/v1/me/second-factor', { body: proof });
}

export async function renewRecoveryCodes(proof: Proof): Promise<string[]> {
  return (await request<RecoveryCodes>('POST', '/v1/me/recovery-codes', { body: proof })).recovery_codes;
}
