import { Paper, Text } from '@mantine/core';
import { createLink } from '@tanstack/react-router';
import type { AnchorHTMLAttributes, ReactNode } from 'react';
import styles from './rows.module.css';

export function Rows({ label, children }: { label: string; children: ReactNode }) {
  return (
    <Paper component="ul" className={styles.list} aria-label={label}>
      {children}
    </Paper>
  );
}

type OfAnchor = Omit<AnchorHTMLAttributes<HTMLAnchorElement>, 'title'>;
type Words = { title: ReactNode; meta?: ReactNode; status?: ReactNode };

/** Two lines: what, and its next or last moment; the status at the right. */
function RowWords({ title, meta, status }: Words) {
  return (
    <>
      <div className={styles.words}>
        <Text fw={550} lineClamp={2}>
          {title}
        </Text>
        {meta !== undefined && (
          <Text size="sm" c="dimmed" component="div">
            {meta}
          </Text>
        )}
      </div>
      {status}
    </>
  );
}

export function Row(words: Words) {
  return (
    <li className={styles.row}>
      <RowWords {...words} />
    </li>
  );
}

/** A row that leads to its page. `aside` = a button beside the way there, `below` = what can be done here. */
export const RowLink = createLink(
  ({
    title,
    meta,
    status,
    aside,
    below,
    ...anchor
  }: Words & { aside?: ReactNode; below?: ReactNode } & OfAnchor) => (
    <li className={styles.item}>
      <a {...anchor} className={styles.row}>
        <RowWords title={title} meta={meta} status={status} />
      </a>
      {aside}
      {below !== undefined && <div className={styles.below}>{below}</div>}
    </li>
  ),
);
