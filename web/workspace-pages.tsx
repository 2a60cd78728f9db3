import {
  IconActivity,
  IconAddressBook,
  IconCalendarRepeat,
  IconPlugConnected,
  IconSettings,
} from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { Outlet, useParams } from '@tanstack/react-router';
import { NotFound } from './kit/fallbacks.tsx';
import { Frame, type Place } from './kit/frame/frame.tsx';
import { PersonMenu } from './kit/frame/person-menu.tsx';
import { LiveProvider } from './kit/live.tsx';
import { WorkspaceProvider } from './kit/workspace.tsx';
import { ParkedNotice } from './rooms/channels/parking/parked.tsx';
import { meQuery } from './rooms/identity/api.ts';
import { useThemeChoice } from './rooms/identity/follow-profile.tsx';
import { useSignOut } from './rooms/identity/sign-out.tsx';
import { ClosedWorkspace } from './rooms/identity/workspaces/closed-workspace.tsx';
import { NeedsYou } from './rooms/messages/needs-you.tsx';

function placesOf(slug: string): Place[] {
  const params = { slug };
  return [
    { word: 'Reminders', icon: IconCalendarRepeat, link: { to: '/w/$slug/reminders', params } },
    { word: 'Activity', icon: IconActivity, link: { to: '/w/$slug/activity', params } },
    { word: 'Contacts', icon: IconAddressBook, link: { to: '/w/$slug/contacts', params }, apart: true },
    { word: 'Channels', icon: IconPlugConnected, link: { to: '/w/$slug/channels', params } },
    { word: 'Settings', icon: IconSettings, link: { to: '/w/$slug/settings', params } },
  ];
}

/** Everything below /w/{slug}: the frame, the live stream, and the page in the middle. */
export function WorkspacePages() {
  const { slug } = useParams({ from: '/w/$slug' });
  const { data: me } = useQuery(meQuery);
  const leave = useSignOut();
  const chooseTheme = useThemeChoice();
  const membership = me?.workspaces.find(workspace => workspace.slug === slug);
  if (!me) return null;
  if (!membership) return <NotFound />;
  const open = membership.deletion_due_at === null;

  return (
    <WorkspaceProvider me={me} slug={slug} key={slug}>
      <LiveProvider workspace={slug}>
        <Frame
          workspace={membership}
          workspaces={me.workspaces}
          places={placesOf(slug)}
          notice={open && <ParkedNotice />}
          tools={
            <>
              {open && <NeedsYou />}
              <PersonMenu
                account={open ? `/w/${slug}/account` : '/account'}
                isAdmin={me.user.is_admin}
                theme={me.user.theme}
                onTheme={chooseTheme}
                username={me.user.name || me.user.username || (me.user.email ?? '')}
                onSignOut={() => leave.mutate()}
              />
            </>
          }
        >
          {membership.deletion_due_at === null ? (
            <Outlet />
          ) : (
            <ClosedWorkspace {...membership} due={membership.deletion_due_at} />
          )}
        </Frame>
      </LiveProvider>
    </WorkspaceProvider>
  );
}
