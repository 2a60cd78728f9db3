import { Menu, Text, UnstyledButton } from '@mantine/core';
import { IconCheck, IconPlus, IconSelector } from '@tabler/icons-react';
import { Link } from '@tanstack/react-router';
import styles from './frame.module.css';

type Choice = { slug: string; name: string };

/** Where one is, and the way to one's other workspaces. */
export function WorkspaceSwitcher({ current, all }: { current: Choice; all: Choice[] }) {
  return (
    <Menu position="bottom-start" shadow="md" withInitialFocusPlaceholder={false}>
      <Menu.Target>
        <UnstyledButton className={styles.switcher} aria-label={`Workspace ${current.name}, change`}>
          <Text fw={600} truncate component="span">
            {current.name}
          </Text>
          <IconSelector size="1.1em" aria-hidden />
        </UnstyledButton>
      </Menu.Target>
      <Menu.Dropdown className={styles.workspaces}>
        <Menu.Label>Workspaces</Menu.Label>
        {all.map(({ slug, name }) => (
          <Menu.Item
            key={slug}
            component={Link}
            to={`/w/${slug}`}
            aria-current={slug === current.slug ? 'true' : undefined}
            rightSection={slug === current.slug ? <IconCheck size="1.1em" aria-hidden /> : undefined}
          >
            {name}
          </Menu.Item>
        ))}
        <Menu.Divider />
        <Menu.Item component={Link} to="/new-workspace" leftSection={<IconPlus size="1.1em" aria-hidden />}>
          New workspace
        </Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}
