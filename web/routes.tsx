import type { QueryClient } from '@tanstack/react-query';
import { createRoute, createRouter, lazyRouteComponent, redirect } from '@tanstack/react-router';
import { Failed, NotFound, Pending } from './kit/fallbacks.tsx';
import { uuid } from './kit/uuid.ts';
import { peopleRoutes } from './people-routes.tsx';
import { whoIsIt } from './rooms/identity/who-is-it.ts';
import { type Outcome, outcomes } from './rooms/messages/outcomes.ts';
import { type Step, steps } from './rooms/reminders/draft.ts';
import { root } from './root-route.tsx';
import { WorkspacePages } from './workspace-pages.tsx';

const workspace = createRoute({
  getParentRoute: () => root,
  path: '/w/$slug',
  beforeLoad: async ({ context, location }) => ({ me: await whoIsIt(context.client, location.href) }),
  component: WorkspacePages,
  notFoundComponent: NotFound,
});

const workspaceStart = createRoute({
  getParentRoute: () => workspace,
  path: '/',
  beforeLoad: ({ params }) => {
    throw redirect({ to: '/w/$slug/reminders', params, replace: true });
  },
});

const channelList = createRoute({
  getParentRoute: () => workspace,
  path: 'channels',
  component: lazyRouteComponent(() => import('./rooms/channels/channel-list.tsx'), 'ChannelList'),
});

const newChannel = createRoute({
  getParentRoute: () => workspace,
  path: 'channels/new',
  component: lazyRouteComponent(() => import('./rooms/channels/new-channel.tsx'), 'NewChannel'),
});

const channelPage = createRoute({
  getParentRoute: () => workspace,
  path: 'channels/$id',
  component: lazyRouteComponent(() => import('./rooms/channels/channel-page.tsx'), 'ChannelPage'),
});

const pairPage = createRoute({
  getParentRoute: () => workspace,
  path: 'channels/$id/pair',
  component: lazyRouteComponent(() => import('./rooms/channels/pair-page.tsx'), 'PairPage'),
});

const contactList = createRoute({
  getParentRoute: () => workspace,
  path: 'contacts',
  component: lazyRouteComponent(() => import('./rooms/contacts/contact-list.tsx'), 'ContactList'),
});

const newOptOut = createRoute({
  getParentRoute: () => workspace,
  path: 'contacts/opt-out',
  component: lazyRouteComponent(() => import('./rooms/contacts/new-opt-out.tsx'), 'NewOptOut'),
});

const reminderList = createRoute({
  getParentRoute: () => workspace,
  path: 'reminders',
  validateSearch: (
    search: Record<string, unknown>,
  ): { status?: 'active' | 'paused' | 'ended'; q?: string } => {
    const status = (['active', 'paused', 'ended'] as const).find(one => one === search.status);
    return { ...(status ? { status } : {}), ...(typeof search.q === 'string' ? { q: search.q } : {}) };
  },
  component: lazyRouteComponent(() => import('./rooms/reminders/reminder-list.tsx'), 'ReminderList'),
});

const beginReminder = createRoute({
  getParentRoute: () => workspace,
  path: 'reminders/new',
  // The draft has its id before the first keystroke; the address carries it.
  beforeLoad: ({ params, preload }) => {
    if (preload) return;
    throw redirect({
      to: '/w/$slug/reminders/new/$draftId',
      params: { slug: params.slug, draftId: uuid() },
      replace: true,
    });
  },
});

const newReminder = createRoute({
  getParentRoute: () => workspace,
  path: 'reminders/new/$draftId',
  validateSearch: readStep,
  component: lazyRouteComponent(() => import('./rooms/reminders/new-reminder.tsx'), 'NewReminder'),
});

const reminderPage = createRoute({
  getParentRoute: () => workspace,
  path: 'reminders/$id',
  component: lazyRouteComponent(() => import('./rooms/reminders/reminder-page.tsx'), 'ReminderPage'),
});

const editReminder = createRoute({
  getParentRoute: () => workspace,
  path: 'reminders/$id/edit',
  validateSearch: readStep,
  component: lazyRouteComponent(() => import('./rooms/reminders/edit-reminder.tsx'), 'EditReminder'),
});

const activityList = createRoute({
  getParentRoute: () => workspace,
  path: 'activity',
  validateSearch: (search: Record<string, unknown>): { outcome?: Outcome } => {
    const outcome = outcomes.find(one => one === search.outcome);
    return outcome ? { outcome } : {};
  },
  component: lazyRouteComponent(() => import('./rooms/messages/activity-list.tsx'), 'ActivityList'),
});

const messagePage = createRoute({
  getParentRoute: () => workspace,
  path: 'activity/$id',
  component: lazyRouteComponent(() => import('./rooms/messages/message-page.tsx'), 'MessagePage'),
});

const settings = createRoute({
  getParentRoute: () => workspace,
  path: 'settings',
  component: lazyRouteComponent(() => import('./settings-page.tsx'), 'SettingsPage'),
});

const sendingPage = createRoute({
  getParentRoute: () => workspace,
  path: 'settings/sending',
  component: lazyRouteComponent(() => import('./rooms/messages/sending-page.tsx'), 'SendingPage'),
});

const statusPage = createRoute({
  getParentRoute: () => workspace,
  path: 'settings/status',
  component: lazyRouteComponent(() => import('./rooms/channels/status/status-page.tsx'), 'StatusPage'),
});

const accountPage = createRoute({
  getParentRoute: () => workspace,
  path: 'account',
  component: lazyRouteComponent(() => import('./rooms/identity/account/account-page.tsx'), 'AccountPage'),
});

const membersPage = createRoute({
  getParentRoute: () => workspace,
  path: 'settings/members',
  component: lazyRouteComponent(() => import('./rooms/identity/workspaces/members-page.tsx'), 'MembersPage'),
});

const keysPage = createRoute({
  getParentRoute: () => workspace,
  path: 'settings/keys',
  component: lazyRouteComponent(() => import('./rooms/identity/keys/keys-page.tsx'), 'KeysPage'),
});

const auditPage = createRoute({
  getParentRoute: () => workspace,
  path: 'settings/audit',
  validateSearch: (search: Record<string, unknown>): { type?: string; actor?: string } => ({
    ...(typeof search.type === 'string' ? { type: search.type } : {}),
    ...(typeof search.actor === 'string' ? { actor: search.actor } : {}),
  }),
  component: lazyRouteComponent(() => import('./rooms/identity/audit/audit-page.tsx'), 'AuditPage'),
});

const namesPage = createRoute({
  getParentRoute: () => workspace,
  path: 'settings/workspace',
  component: lazyRouteComponent(
    () => import('./rooms/identity/workspaces/workspace-page.tsx'),
    'WorkspacePage',
  ),
});

const tree = root.addChildren([
  ...peopleRoutes,
  workspace.addChildren([
    workspaceStart,
    channelList,
    newChannel,
    channelPage,
    pairPage,
    contactList,
    newOptOut,
    reminderList,
    beginReminder,
    newReminder,
    reminderPage,
    editReminder,
    activityList,
    messagePage,
    settings,
    sendingPage,
    statusPage,
    accountPage,
    membersPage,
    keysPage,
    auditPage,
    namesPage,
  ]),
]);

export function createAppRouter(client: QueryClient) {
  return createRouter({
    routeTree: tree,
    context: { client },
    defaultPreload: 'intent',
    defaultPreloadStaleTime: 0,
    defaultPendingMs: 300,
    defaultPendingComponent: Pending,
    defaultErrorComponent: Failed,
    defaultNotFoundComponent: NotFound,
    scrollRestoration: true,
  });
}

declare module '@tanstack/react-router' {
  interface Register {
    router: ReturnType<typeof createAppRouter>;
  }
}

function readStep(search: Record<string, unknown>): { step?: Step } {
  const step = steps.find(one => one === search.step);
  return step ? { step } : {};
}
