import { Text } from '@mantine/core';
import { MessageText } from '../messages/message-text.tsx';
import styles from './phone-preview.module.css';

type Props = { text: string; sender: string; group: string | undefined; time: string };

/** How it looks on the phone of a recipient. */
export function PhonePreview({ text, sender, group, time }: Props) {
  const title = group ?? sender;
  return (
    <figure className={styles.phone} aria-label="Preview on the recipient's phone" style={{ marginBlock: 0 }}>
      <div className={styles.head}>
        <span className={styles.face} aria-hidden>
          {title.slice(0, 1).toUpperCase()}
        </span>
        <Text fw={600} truncate>
          {title}
        </Text>
      </div>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a long message scrolls, and keyboards scroll too */}
      <section className={styles.talk} tabIndex={0} aria-label="Message as it arrives">
        <div className={styles.bubble}>
          {group !== undefined && (
            <Text size="sm" fw={600} c="var(--mantine-color-anchor)">
              {sender}
            </Text>
          )}
          {text.trim() === '' ? (
            <Text c="dimmed" fs="italic">
              Your message
            </Text>
          ) : (
            <MessageText text={text.trim()} />
          )}
          <span className={styles.time}>{time}</span>
        </div>
      </section>
    </figure>
  );
}
