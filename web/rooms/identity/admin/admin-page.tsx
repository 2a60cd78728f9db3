import { Group, Stack, Tabs } from '@mantine/core';
import { Wordmark } from '../../../kit/brand.tsx';
import { TextLink } from '../../../kit/links.tsx';
import { Page } from '../../../kit/page.tsx';
import { InstallationActivity } from './installation-activity.tsx';
import { InstallationSettings } from './installation-settings.tsx';
import { Users } from './users.tsx';
import { Workspaces } from './workspaces.tsx';

/** For those who run the installation; for everybody else there is nothing at this address. */
export function AdminPage() {
  return (
    <Stack component="main" gap="md" p="md">
      <Group justify="space-between" maw="var(--convoke-wide)" w="100%" mx="auto">
        <Wordmark />
        <TextLink to="/">Back to the workspaces</TextLink>
      </Group>
      <Page title="This Convoke">
        <Tabs defaultValue="users" keepMounted={false}>
          <Tabs.List>
            <Tabs.Tab value="users">Users</Tabs.Tab>
            <Tabs.Tab value="workspaces">Workspaces</Tabs.Tab>
            <Tabs.Tab value="activity">Activity</Tabs.Tab>
            <Tabs.Tab value="settings">Settings</Tabs.Tab>
          </Tabs.List>
          <Tabs.Panel value="users" pt="lg">
            <Users />
          </Tabs.Panel>
          <Tabs.Panel value="workspaces" pt="lg">
            <Workspaces />
          </Tabs.Panel>
          <Tabs.Panel value="activity" pt="lg">
            <InstallationActivity />
          </Tabs.Panel>
          <Tabs.Panel value="settings" pt="lg">
            <InstallationSettings />
          </Tabs.Panel>
        </Tabs>
      </Page>
    </Stack>
  );
}
