import { Text, VisuallyHidden } from '@mantine/core';
import { type Icon, IconAlertTriangle, IconBan, IconCheck, IconCircle, IconDots } from '@tabler/icons-react';
import { Moment, useNow } from '../../kit/moment.tsx';
import type { Message } from './api.ts';
import { type TimelineStep, timelineOf } from './journey.ts';
import styles from './timeline.module.css';

const faces: Record<TimelineStep['state'], { icon: Icon; word: string }> = {
  done: { icon: IconCheck, word: 'Done' },
  now: { icon: IconDots, word: 'Under way' },
  ahead: { icon: IconCircle, word: 'Not yet' },
  trouble: { icon: IconAlertTriangle, word: 'Trouble' },
  stopped: { icon: IconBan, word: 'Stopped' },
};

/** Vertical steps, each with its moment. */
export function Timeline({ message }: { message: Message }) {
  const now = useNow(() => 5_000);
  return (
    <ol className={styles.timeline} data-testid="delivery-timeline" aria-label="Journey of the message">
      {timelineOf(message, now).map(step => {
        const { icon: Picture, word } = faces[step.state];
        return (
          <li key={step.key} className={styles.step} data-state={step.state} data-step={step.key}>
            <span className={styles.dot}>
              <Picture size="1em" stroke={2.5} aria-hidden />
            </span>
            <div className={styles.words}>
              <Text fw={600}>
                {step.title}
                <VisuallyHidden>, {word}</VisuallyHidden>
              </Text>
              {step.at !== null && (
                <Text size="sm" c="dimmed">
                  <Moment at={step.at} capital />
                </Text>
              )}
              {step.words !== undefined && <Text size="sm">{step.words}</Text>}
            </div>
          </li>
        );
      })}
    </ol>
  );
}
