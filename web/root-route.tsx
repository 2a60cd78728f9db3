import type { QueryClient } from '@tanstack/react-query';
import { createRootRouteWithContext, Outlet } from '@tanstack/react-router';
import { NotFound } from './kit/fallbacks.tsx';
import { FollowProfile } from './rooms/identity/follow-profile.tsx';

export const root = createRootRouteWithContext<{ client: QueryClient }>()({
  component: () => (
    <FollowProfile>
      <Outlet />
    </FollowProfile>
  ),
  notFoundComponent: NotFound,
});
