import { Group } from '@mantine/core';
import type { ReactNode } from 'react';
import { Wordmark } from '../../kit/brand.tsx';
import { TextLink } from '../../kit/links.tsx';
import styles from '../../kit/page.module.css';

/** Stands around the pages that belong to no workspace. */
export function Outside({ children }: { children: ReactNode }) {
  return (
    <main>
      <Group justify="space-between" px={{ base: 'md', sm: 'xl' }} pt="md" className={styles.wide} mx="auto">
        <Wordmark />
        <TextLink to="/">Back to the workspaces</TextLink>
      </Group>
      {children}
    </main>
  );
}
