import { Group, Title } from '@mantine/core';
import { useDocumentTitle } from '@mantine/hooks';
import { IconChevronLeft } from '@tabler/icons-react';
import type { ReactNode } from 'react';
import styles from './page.module.css';

type Props = {
  title: string;
  /** Stands for the title where that can be edited in place. */
  heading?: ReactNode;
  /** Beside the title: a status. */
  beside?: ReactNode;
  /** The one primary action: top right on desktop, floating on phones. */
  action?: ReactNode;
  /** Other actions, in the head everywhere. */
  others?: ReactNode;
  /** The way up, below the second level. */
  back?: ReactNode;
  width?: 'wide' | 'reading';
  children: ReactNode;
};

export function Page({ title, heading, beside, action, others, back, width = 'wide', children }: Props) {
  useDocumentTitle(`${title} · Convoke`);
  return (
    <div className={`${styles.page} ${styles[width]}`}>
      {back !== undefined && (
        <Group component="nav" aria-label="Breadcrumb" gap="xs" className={styles.crumbs} wrap="nowrap">
          <IconChevronLeft size="1em" aria-hidden />
          {back}
        </Group>
      )}
      <div className={styles.head}>
        <Group gap="xs" className={styles.name}>
          {heading ?? <Title order={1}>{title}</Title>}
          {beside}
        </Group>
        <Group gap="sm" wrap="nowrap" className={styles.actions}>
          {others}
          {action !== undefined && <div className={styles.floats}>{action}</div>}
        </Group>
      </div>
      {children}
    </div>
  );
}
