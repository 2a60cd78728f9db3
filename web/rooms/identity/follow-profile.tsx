import { useMantineColorScheme } from '@mantine/core';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { type ReactNode, useCallback, useEffect, useEffectEvent, useSyncExternalStore } from 'react';
import type { Me } from '../../../src/identity/schema.ts';
import { readFor } from '../../kit/reader.ts';
import { toastProblem } from '../../kit/toast.tsx';
import { meQuery } from './api.ts';
import { changeProfile } from './people/api.ts';

type Theme = Me['user']['theme'];

/**
 * Around all pages: once it is known who looks, they have the theme, the zone and the forms of that profile. Until then
 * the page is as it was last on this device.
 */
export function FollowProfile({ children }: { children: ReactNode }) {
  const user = useKnownMe()?.user;
  const { colorScheme, setColorScheme } = useMantineColorScheme();
  readFor(user);
  const follow = useEffectEvent((theme: Theme) => {
    if (theme !== colorScheme) setColorScheme(theme);
  });
  const theme = user?.theme;
  useEffect(() => {
    if (theme !== undefined) follow(theme);
  }, [theme]);
  return children;
}

/** Whoever is known to look just now; asks nobody, and also sees who comes after the cache was emptied. */
function useKnownMe(): Me | undefined {
  const client = useQueryClient();
  const listen = useCallback((changed: () => void) => client.getQueryCache().subscribe(changed), [client]);
  return useSyncExternalStore(listen, () => client.getQueryData(meQuery.queryKey));
}

/** Another theme at once, and then on all devices of the person; as before where the profile does not take it. */
export function useThemeChoice(): (theme: Theme) => void {
  const client = useQueryClient();
  const choice = useMutation({
    mutationFn: (theme: Theme) => changeProfile({ theme }),
    onMutate: async theme => {
      await client.cancelQueries(meQuery);
      const before = client.getQueryData(meQuery.queryKey);
      client.setQueryData(meQuery.queryKey, me => me && { ...me, user: { ...me.user, theme } });
      return before;
    },
    onError: (error, _theme, before) => {
      client.setQueryData(meQuery.queryKey, before);
      toastProblem('The theme is as before', error);
    },
  });
  return choice.mutate;
}
