import { DirectionProvider, localStorageColorSchemeManager, MantineProvider } from '@mantine/core';
import { ModalsProvider } from '@mantine/modals';
import { Notifications } from '@mantine/notifications';
import { QueryClientProvider } from '@tanstack/react-query';
import { RouterProvider } from '@tanstack/react-router';
import { styleNonce } from './kit/nonce.ts';
import { createQueryClient } from './kit/queries.ts';
import { cssVariables, theme } from './kit/theme.ts';
import { createAppRouter } from './routes.tsx';

const schemes = localStorageColorSchemeManager({ key: 'convoke.scheme' });

/** Pages for who is not signed in. */
const BEFORE_THE_DOOR = ['/sign-in', '/sign-up', '/forgot', '/reset', '/setup', '/invitation'];

const client = createQueryClient(() => {
  const { pathname, href } = router.state.location;
  if (BEFORE_THE_DOOR.some(place => pathname.startsWith(place))) return;
  void router.navigate({ to: '/sign-in', search: { next: href }, replace: true });
});

const router = createAppRouter(client);

export function App() {
  return (
    <DirectionProvider>
      <MantineProvider
        theme={theme}
        cssVariablesResolver={cssVariables}
        colorSchemeManager={schemes}
        getStyleNonce={() => styleNonce}
        defaultColorScheme="auto"
      >
        <QueryClientProvider client={client}>
          <ModalsProvider>
            <Notifications
              position="bottom-center"
              pauseResetOnHover="notification"
              containerWidth="var(--convoke-entry)"
            />
            <RouterProvider router={router} />
          </ModalsProvider>
        </QueryClientProvider>
      </MantineProvider>
    </DirectionProvider>
  );
}
