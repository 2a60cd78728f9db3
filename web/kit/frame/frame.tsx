import { Group, Text } from '@mantine/core';
import { type Icon, IconPlugConnectedX } from '@tabler/icons-react';
import { Link, type LinkProps } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { Mark, Wordmark } from '../brand.tsx';
import { useLive } from '../live.tsx';
import styles from './frame.module.css';
import { WorkspaceSwitcher } from './workspace-switcher.tsx';

export type Place = {
  word: string;
  icon: Icon;
  link: Pick<LinkProps, 'to' | 'params'>;
  /** Below a line, with those that follow: not opened daily. */
  apart?: boolean;
};

type Props = {
  workspace: { slug: string; name: string };
  /** Where else the person belongs. */
  workspaces: { slug: string; name: string }[];
  places: Place[];
  tools: ReactNode;
  /** What holds for every page; may show nothing. */
  notice: ReactNode;
  children: ReactNode;
};

/** What stands around every page: places at the side or, on phones, below; the person's things on top. */
export function Frame({ workspace, workspaces, places, tools, notice, children }: Props) {
  return (
    <div className={styles.frame}>
      <a href="#main" className={styles.skip}>
        Skip to the content
      </a>
      <header className={styles.top}>
        <div className={styles.where}>
          <span className={styles.small}>
            <Mark />
          </span>
          <WorkspaceSwitcher current={workspace} all={workspaces} />
          <Reconnecting />
        </div>
        <Group gap="xs" wrap="nowrap">
          {tools}
        </Group>
      </header>
      <nav className={styles.rail} aria-label="Places">
        <Link
          to="/w/$slug"
          params={{ slug: workspace.slug }}
          className={styles.brand}
          aria-label="Convoke, to the start"
        >
          <Wordmark />
        </Link>
        <ul className={styles.places}>
          {places.map(({ word, icon: Picture, link, apart }) => (
            <li key={word} className={apart ? styles.apart : undefined}>
              <Link {...link} className={styles.place} activeOptions={{ includeSearch: false }}>
                <span className={styles.picture}>
                  <Picture size="1.4em" stroke={1.75} aria-hidden />
                </span>
                {word}
              </Link>
            </li>
          ))}
        </ul>
      </nav>
      <main id="main" tabIndex={-1} className={styles.main}>
        <div className={styles.notice}>{notice}</div>
        {children}
      </main>
    </div>
  );
}

/** Quiet on purpose: what is on the page stays readable and is brought up to date afterwards. */
function Reconnecting() {
  const live = useLive();
  return (
    <span role="status">
      {live === 'reconnecting' && (
        <Group gap="var(--convoke-near)" wrap="nowrap" className="convoke-arrive">
          <IconPlugConnectedX size="1em" aria-hidden />
          <Text size="sm" c="dimmed" component="span" style={{ whiteSpace: 'nowrap' }}>
            Reconnecting…
          </Text>
        </Group>
      )}
    </span>
  );
}
