import { createRoute, lazyRouteComponent, notFound, redirect } from '@tanstack/react-router';
import { NotFound } from './kit/fallbacks.tsx';
import { readNext, whoIsIt, whoIsSignedIn } from './rooms/identity/who-is-it.ts';
import { root } from './root-route.tsx';

const signIn = createRoute({
  getParentRoute: () => root,
  path: '/sign-in',
  validateSearch: readNext,
  component: lazyRouteComponent(() => import('./rooms/identity/sign-in.tsx'), 'SignIn'),
});

const setup = createRoute({
  getParentRoute: () => root,
  path: '/setup/$token',
  component: lazyRouteComponent(() => import('./rooms/identity/setup.tsx'), 'Setup'),
});

const signUp = createRoute({
  getParentRoute: () => root,
  path: '/sign-up',
  component: lazyRouteComponent(() => import('./rooms/identity/people/sign-up.tsx'), 'SignUp'),
});

const completeSignUp = createRoute({
  getParentRoute: () => root,
  path: '/sign-up/$token',
  component: lazyRouteComponent(
    () => import('./rooms/identity/people/complete-sign-up.tsx'),
    'CompleteSignUp',
  ),
});

const forgot = createRoute({
  getParentRoute: () => root,
  path: '/forgot',
  component: lazyRouteComponent(() => import('./rooms/identity/people/forgot.tsx'), 'Forgot'),
});

const reset = createRoute({
  getParentRoute: () => root,
  path: '/reset/$token',
  component: lazyRouteComponent(() => import('./rooms/identity/people/reset.tsx'), 'Reset'),
});

/** Where mails about sign-ins lead. */
const devices = createRoute({
  getParentRoute: () => root,
  path: '/devices',
  beforeLoad: async ({ context, location }) => {
    const { workspaces } = await whoIsIt(context.client, location.href);
    const open = workspaces.find(workspace => workspace.deletion_due_at === null);
    throw redirect(
      open
        ? { to: '/w/$slug/account', params: { slug: open.slug }, replace: true }
        : { to: '/account', replace: true },
    );
  },
});

const accountOutside = createRoute({
  getParentRoute: () => root,
  path: '/account',
  beforeLoad: async ({ context, location }) => void (await whoIsIt(context.client, location.href)),
  component: lazyRouteComponent(() => import('./rooms/identity/account/account-page.tsx'), 'AccountOutside'),
});

const admin = createRoute({
  getParentRoute: () => root,
  path: '/admin',
  beforeLoad: async ({ context, location }) => {
    const me = await whoIsIt(context.client, location.href);
    if (!me.user.is_admin) throw notFound();
  },
  component: lazyRouteComponent(() => import('./rooms/identity/admin/admin-page.tsx'), 'AdminPage'),
});

const confirmEmail = createRoute({
  getParentRoute: () => root,
  path: '/confirm/$token',
  beforeLoad: async ({ context, location }) => void (await whoIsIt(context.client, location.href)),
  component: lazyRouteComponent(() => import('./rooms/identity/people/confirm-email.tsx'), 'ConfirmEmail'),
});

const terms = createRoute({
  getParentRoute: () => root,
  path: '/terms',
  validateSearch: readNext,
  beforeLoad: async ({ context, location }) => void (await whoIsSignedIn(context.client, location.href)),
  component: lazyRouteComponent(() => import('./rooms/identity/people/terms-page.tsx'), 'TermsPage'),
});

const start = createRoute({
  getParentRoute: () => root,
  path: '/',
  beforeLoad: async ({ context, location }) => {
    const me = await whoIsIt(context.client, location.href);
    const [first] = me.workspaces;
    if (first) throw redirect({ to: '/w/$slug', params: { slug: first.slug }, replace: true });
    throw redirect({ to: '/new-workspace', replace: true });
  },
  component: NotFound,
});

const newWorkspace = createRoute({
  getParentRoute: () => root,
  path: '/new-workspace',
  beforeLoad: async ({ context, location }) => void (await whoIsIt(context.client, location.href)),
  component: lazyRouteComponent(
    () => import('./rooms/identity/workspaces/new-workspace.tsx'),
    'NewWorkspace',
  ),
});

const invitationPage = createRoute({
  getParentRoute: () => root,
  path: '/invitation/$token',
  component: lazyRouteComponent(
    () => import('./rooms/identity/workspaces/invitation-page.tsx'),
    'InvitationPage',
  ),
});

/** The pages of people, whichever workspace they are of. */
export const peopleRoutes = [
  start,
  newWorkspace,
  invitationPage,
  signIn,
  signUp,
  completeSignUp,
  forgot,
  reset,
  confirmEmail,
  admin,
  terms,
  accountOutside,
  devices,
  setup,
] as const;
