import { Tabs } from '@mantine/core';
import { Page } from '../../../kit/page.tsx';
import { Outside } from '../outside.tsx';
import styles from './admin.module.css';
import { InstallationActivity } from './installation-activity.tsx';
import { InstallationSettings } from './installation-settings.tsx';
import { Users } from './users.tsx';
import { Workspaces } from './workspaces.tsx';

/** For those who run the installation; for everybody else there is nothing at this address. */
export function AdminPage() {
  return (
    <Outside>
      <Page title="This Convoke">
        <Tabs defaultValue="users" keepMounted={false}>
          <Tabs.List className={styles.tabs}>
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
    </Outside>
  );
}
