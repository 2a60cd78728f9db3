import { Text } from '@mantine/core';
import { useNow } from './moment.tsx';
import styles from './ring.module.css';
import { countdown } from './time.ts';

const RADIUS = 26;
const AROUND = 2 * Math.PI * RADIUS;
const SOON_MS = 60_000;

/** One countdown from an instant to another, as a ring that empties. */
export function CountdownRing({ from, until }: { from: string; until: string }) {
  const now = useNow(() => 1_000);
  const left = Math.max(0, Date.parse(until) - now);
  const share = Math.min(1, left / Math.max(1, Date.parse(until) - Date.parse(from)));
  return (
    <div className={styles.ring} role="timer" aria-label="Time left">
      <svg viewBox="0 0 60 60" aria-hidden>
        <circle cx="30" cy="30" r={RADIUS} className={styles.track} />
        <circle
          cx="30"
          cy="30"
          r={RADIUS}
          className={`${styles.left} ${left < SOON_MS ? styles.soon : ''}`}
          strokeDasharray={AROUND}
          strokeDashoffset={AROUND * (1 - share)}
        />
      </svg>
      <Text fw={600} component="span">
        {countdown(left)}
      </Text>
    </div>
  );
}
