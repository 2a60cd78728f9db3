import { ActionIcon, type MantineColorScheme, Menu } from '@mantine/core';
import {
  type Icon,
  IconBook2,
  IconDeviceDesktop,
  IconLogout,
  IconMoon,
  IconServerCog,
  IconSun,
  IconUserCircle,
  IconUserCog,
} from '@tabler/icons-react';
import { Link } from '@tanstack/react-router';

const schemes: [scheme: MantineColorScheme, word: string, icon: Icon][] = [
  ['light', 'Light', IconSun],
  ['dark', 'Dark', IconMoon],
  ['auto', 'As the system', IconDeviceDesktop],
];

type Props = {
  username: string;
  /** Where the person's own page is. */
  account: string;
  isAdmin: boolean;
  theme: MantineColorScheme;
  onTheme: (theme: MantineColorScheme) => void;
  onSignOut: () => void;
};

export function PersonMenu({ username, account, isAdmin, theme, onTheme, onSignOut }: Props) {
  return (
    <Menu withInitialFocusPlaceholder={false} position="bottom-end" shadow="md">
      <Menu.Target>
        <ActionIcon variant="subtle" color="gray" size="xl" radius="xl" aria-label={`Menu of ${username}`}>
          <IconUserCircle stroke={1.5} size="1.75rem" aria-hidden />
        </ActionIcon>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Label>{username}</Menu.Label>
        <Menu.Item component={Link} to={account} leftSection={<IconUserCog size="1.1em" aria-hidden />}>
          Your account
        </Menu.Item>
        {isAdmin && (
          <Menu.Item component={Link} to="/admin" leftSection={<IconServerCog size="1.1em" aria-hidden />}>
            This Convoke
          </Menu.Item>
        )}
        <Menu.Divider />
        <Menu.Label>Theme</Menu.Label>
        <Menu.RadioGroup value={theme} onChange={value => onTheme(value as MantineColorScheme)}>
          {schemes.map(([scheme, word, Picture]) => (
            <Menu.RadioItem key={scheme} value={scheme} rightSection={<Picture size="1.1em" aria-hidden />}>
              {word}
            </Menu.RadioItem>
          ))}
        </Menu.RadioGroup>
        <Menu.Divider />
        <Menu.Item component="a" href="/docs" leftSection={<IconBook2 size="1.1em" aria-hidden />}>
          API documents
        </Menu.Item>
        <Menu.Item leftSection={<IconLogout size="1.1em" aria-hidden />} onClick={onSignOut}>
          Sign out
        </Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}
