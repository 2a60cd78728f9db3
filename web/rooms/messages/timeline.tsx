import { Text, VisuallyHidden } from '@mantine/core';
import {
  type Icon,
  IconAlertTriangle,
  IconBan,
  IconCheck,
  IconCircle,
  IconClockPause,
  IconDots,
  IconHelpCircle,
  IconPlugConnectedX,
} from '@tabler/icons-react';
import { Moment, useNow } from '../../kit/moment.tsx';
import type { MessageDetail } from './api.ts';
import { timelineOf } from './journey.ts';
import styles from './timeline.module.css';
import type { TimelineStep } from './timeline-step.ts';

const faces: Record<TimelineStep['state'], { icon: Icon; word: string }> = {
  done: { icon: IconCheck, word: 'Done' },
  over: { icon: IconPlugConnectedX, word: 'It led nowhere' },
  put_off: { icon: IconClockPause, word: 'Put off' },
  now: { icon: IconDots, word: 'Under way' },
  doubt: { icon: IconHelpCircle, word: 'Unclear' },
  ahead: { icon: IconCircle, word: 'Not yet' },
  trouble: { icon: IconAlertTriangle, word: 'Trouble' },
  stopped: { icon: IconBan, word: 'Stopped' },
};

/** Vertical steps, each with its moment. */
export function Timeline({ message }: { message: MessageDetail }) {
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
              {step.goesOnAt !== undefined && (
                <Text size="sm">
                  Expected to go on <Moment at={step.goesOnAt} />.
                </Text>
              )}
              {step.givesUpAt !== undefined && (
                <Text size="sm">
                  Convoke gives this up <Moment at={step.givesUpAt} />; then it counts as unclear.
                </Text>
              )}
            </div>
          </li>
        );
      })}
    </ol>
  );
}
