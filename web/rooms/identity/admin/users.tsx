import { ActionIcon, Badge, Button, Group, Menu, Stack } from '@mantine/core';
import { IconDots, IconUserPlus } from '@tabler/icons-react';
import { useInfiniteQuery, useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { confirmThat } from '../../../kit/confirm.tsx';
import { Moment } from '../../../kit/moment.tsx';
import { Row } from '../../../kit/rows.tsx';
import { toastDone, toastProblem } from '../../../kit/toast.tsx';
import { TypedDialog } from '../typed-dialog.tsx';
import { type AdminUser, changeUser, deleteUser, logOutUser, makeLink, userName, usersQuery } from './api.ts';
import { Found, SearchField, useSearch } from './found.tsx';
import { LinkDialog } from './link-dialog.tsx';
import { NewUserDialog } from './new-user-dialog.tsx';

export function Users() {
  const { typed, sought, type } = useSearch();
  const query = useInfiniteQuery(usersQuery(sought));
  const [adding, setAdding] = useState(false);
  return (
    <Stack gap="md">
      <Group justify="space-between">
        <SearchField label="Search users" value={typed} set={type} />
        <Button leftSection={<IconUserPlus size="1.2em" aria-hidden />} onClick={() => setAdding(true)}>
          Add user
        </Button>
      </Group>
      <Found label="Users" query={query}>
        {user => <UserRow key={user.id} user={user} />}
      </Found>
      {adding && <NewUserDialog close={() => setAdding(false)} />}
    </Stack>
  );
}

function UserRow({ user }: { user: AdminUser }) {
  const name = userName(user);
  const names = [user.username, user.email].filter(one => one && one !== name);
  return (
    <Row
      title={name}
      meta={
        <>
          {names.map(one => `${one} · `)}
          {user.workspaces === 1 ? 'one workspace' : `${user.workspaces} workspaces`} ·{' '}
          {user.seen_at === null ? (
            'not signed in'
          ) : (
            <>
              seen <Moment at={user.seen_at} />
            </>
          )}
        </>
      }
      status={
        <Group gap="xs" wrap="nowrap">
          {user.locked_at !== null && <Badge color="red">Locked</Badge>}
          {!user.has_password && <Badge color="gray">No password yet</Badge>}
          {user.is_admin && <Badge>Admin</Badge>}
          <UserMenu user={user} />
        </Group>
      }
    />
  );
}

function UserMenu({ user }: { user: AdminUser }) {
  const client = useQueryClient();
  const name = userName(user);
  const [link, setLink] = useState<string>();
  const [deleting, setDeleting] = useState(false);
  const settled = () => client.invalidateQueries({ queryKey: ['admin', 'users'] });
  const act = useMutation({
    mutationFn: async ({ work }: { work: () => Promise<unknown>; done: string }) => work(),
    onSuccess: (_, { done }) => toastDone(done),
    onError: error => toastProblem(`Nothing was changed for ${name}`, error),
    onSettled: settled,
  });
  const change = (what: { is_admin?: boolean; locked?: boolean }, done: string) =>
    act.mutate({ work: () => changeUser(user.id, what), done });
  const ask = (title: string, consequence: string, verb: string, then: () => void) =>
    confirmThat({ title, consequence, verb, act: then });
  const linked = useMutation({
    mutationFn: () => makeLink(user.id),
    onSuccess: made => setLink(made.path),
    onError: error => toastProblem('There is no link', error),
  });
  return (
    <>
      <Menu position="bottom-end" shadow="md" withInitialFocusPlaceholder={false}>
        <Menu.Target>
          <ActionIcon variant="subtle" color="gray" size="lg" aria-label={`What to do with ${name}`}>
            <IconDots size="1.2em" aria-hidden />
          </ActionIcon>
        </Menu.Target>
        <Menu.Dropdown>
          <Menu.Item onClick={() => linked.mutate()}>Link to a new password</Menu.Item>
          <Menu.Item
            onClick={() => act.mutate({ work: () => logOutUser(user.id), done: `${name} is signed out.` })}
          >
            Sign out everywhere
          </Menu.Item>
          {user.is_admin ? (
            <Menu.Item onClick={() => change({ is_admin: false }, `${name} no longer runs this Convoke.`)}>
              Take the admin role away
            </Menu.Item>
          ) : (
            <Menu.Item
              onClick={() =>
                ask(`Make ${name} an admin?`, 'Admins can do everything on this page.', 'Make admin', () =>
                  change({ is_admin: true }, `${name} is an admin now.`),
                )
              }
            >
              Make admin
            </Menu.Item>
          )}
          {user.locked_at === null ? (
            <Menu.Item
              onClick={() =>
                ask(
                  `Lock ${name}?`,
                  `${name} is signed out everywhere and cannot sign in until unlocked.`,
                  'Lock',
                  () => change({ locked: true }, `${name} is locked.`),
                )
              }
            >
              Lock
            </Menu.Item>
          ) : (
            <Menu.Item onClick={() => change({ locked: false }, `${name} can sign in again.`)}>
              Unlock
            </Menu.Item>
          )}
          <Menu.Divider />
          <Menu.Item c="var(--mantine-color-error)" onClick={() => setDeleting(true)}>
            Delete
          </Menu.Item>
        </Menu.Dropdown>
      </Menu>
      {link !== undefined && <LinkDialog path={link} who={name} close={() => setLink(undefined)} />}
      {deleting && (
        <TypedDialog
          title={`Delete ${name}?`}
          consequence="The account and all memberships end. What the person did stays in the activity."
          word={user.username ?? user.email ?? ''}
          verb="Delete"
          act={typed => deleteUser(user.id, typed)}
          done={`${name} is deleted.`}
          settled={settled}
          close={() => setDeleting(false)}
        />
      )}
    </>
  );
}
