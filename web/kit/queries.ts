import { QueryCache, QueryClient } from '@tanstack/react-query';
import { Problem } from './api.ts';

const RETRIES = 2;

/** One cache for the app. `onSignedOut` is called when the server no longer knows the login. */
export function createQueryClient(onSignedOut: () => void): QueryClient {
  return new QueryClient({
    queryCache: new QueryCache({
      onError: error => {
        if (error instanceof Problem && error.status === 401) onSignedOut();
      },
    }),
    defaultOptions: {
      queries: {
        // Facts arrive live and make what they touch stale at once.
        staleTime: 30_000,
        // Instances also live on networks without internet, which browsers call offline.
        networkMode: 'always',
        retry: (failures, error) => failures < RETRIES && mayPass(error),
        retryDelay: attempt => Math.min(500 * 2 ** attempt, 4_000),
      },
      // A change is repeated by people, who see what became of it.
      mutations: { retry: false, networkMode: 'always' },
    },
  });
}

function mayPass(error: unknown): boolean {
  return !(error instanceof Problem) || error.status === 0 || error.status >= 500;
}
