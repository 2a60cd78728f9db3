import type { QueryClient } from '@tanstack/react-query';
import { redirect } from '@tanstack/react-router';
import { Problem } from '../../kit/api.ts';
import { meQuery } from './api.ts';

/** Where the way goes on afterwards; what is no path of our own, `ownPath` refuses. */
export function readNext(search: Record<string, unknown>): { next?: string } {
  return typeof search.next === 'string' ? { next: search.next } : {};
}

/** The signed-in person who has accepted the terms; sends others there, with the way back. */
export async function whoIsIt(client: QueryClient, from: string) {
  const me = await whoIsSignedIn(client, from);
  if (me.user.terms_due) throw redirect({ to: '/terms', search: backTo(from), replace: true });
  return me;
}

/** The signed-in person; sends others to the door, with the way back. */
export async function whoIsSignedIn(client: QueryClient, from: string) {
  try {
    return await client.ensureQueryData(meQuery);
  } catch (error) {
    if (error instanceof Problem && error.status === 401) {
      throw redirect({ to: '/sign-in', search: backTo(from), replace: true });
    }
    throw error;
  }
}

function backTo(from: string): { next?: string } {
  return from === '/' ? {} : { next: from };
}
