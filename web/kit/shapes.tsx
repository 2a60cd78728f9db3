import type { ReactNode } from 'react';
import styles from './shapes.module.css';

/** Pictures drawn from our own shapes: arcs that call, points that listen. They carry no meaning of their own. */
export type ShapeName = 'calling' | 'linking' | 'quiet' | 'lost' | 'saved';

const drawings: Record<ShapeName, ReactNode> = {
  calling: (
    <>
      <circle cx="60" cy="76" r="7" className={styles.point} />
      <path d="M38 56a31 31 0 0 1 44 0" />
      <path d="M24 42a51 51 0 0 1 72 0" />
      <path d="M11 28a70 70 0 0 1 98 0" className={styles.faint} />
      <circle cx="22" cy="76" r="4" className={`${styles.point} ${styles.faint}`} />
      <circle cx="98" cy="76" r="4" className={`${styles.point} ${styles.faint}`} />
    </>
  ),
  linking: (
    <>
      <rect x="14" y="18" width="36" height="62" rx="8" />
      <path d="M27 72h10" />
      <rect x="76" y="30" width="32" height="32" rx="6" className={styles.faint} />
      <path d="M58 42a12 12 0 0 1 0 14" />
      <path d="M65 36a20 20 0 0 1 0 26" className={styles.faint} />
      <circle cx="92" cy="46" r="5" className={styles.point} />
    </>
  ),
  quiet: (
    <>
      <path d="M18 70h84" className={styles.faint} />
      <circle cx="34" cy="70" r="5" className={styles.point} />
      <circle cx="60" cy="70" r="5" className={`${styles.point} ${styles.faint}`} />
      <circle cx="86" cy="70" r="5" className={`${styles.point} ${styles.faint}`} />
      <path d="M22 52a17 17 0 0 1 24 0" />
      <path d="M13 40a30 30 0 0 1 42 0" className={styles.faint} />
    </>
  ),
  lost: (
    <>
      <path d="M24 50a51 51 0 0 1 30-16" />
      <path d="M72 35a51 51 0 0 1 24 15" className={styles.faint} />
      <path d="M41 60a27 27 0 0 1 14-7" />
      <path d="M70 55a27 27 0 0 1 9 5" className={styles.faint} />
      <circle cx="64" cy="80" r="7" className={styles.point} />
    </>
  ),
  saved: (
    <>
      <path d="M38 46a31 31 0 0 1 44 0" className={styles.faint} />
      <path d="M24 32a51 51 0 0 1 72 0" className={styles.faint} />
      <circle cx="60" cy="66" r="17" />
      <path d="m52 66 6 6 11-12" />
    </>
  ),
};

export function Shape({ name }: { name: ShapeName }) {
  return (
    <svg
      viewBox="0 0 120 96"
      className={styles.shape}
      fill="none"
      stroke="var(--mantine-color-anchor)"
      strokeWidth="3"
      strokeLinecap="round"
      strokeLinejoin="round"
      aria-hidden
    >
      {drawings[name]}
    </svg>
  );
}
