import { Alert, Button, Group, Stack, Text } from '@mantine/core';
import { type Icon, IconArchive, IconCheck, IconHelpCircle, IconRepeat } from '@tabler/icons-react';
import { Moment } from '../../kit/moment.tsx';
import { useWorkspace } from '../../kit/workspace.tsx';
import type { Message, Resolution } from './api.ts';
import styles from './decide.module.css';
import { useResolve } from './use-resolve.ts';
import { choiceWords, recipientName } from './words.ts';

const choices: [as: Resolution, icon: Icon][] = [
  ['arrived', IconCheck],
  ['send_again', IconRepeat],
  ['give_up', IconArchive],
];

/** The question that a message without an answer asks, with what each choice means. */
export function Decide({ message }: { message: Message }) {
  const { can } = useWorkspace();
  const { ask, pending } = useResolve(message);
  const { in_flight_at } = message.delivery;
  return (
    <Alert
      color="orange"
      icon={<IconHelpCircle aria-hidden />}
      title="Did this message arrive?"
      role="region"
      aria-label="Did this message arrive?"
    >
      <Stack gap="md">
        <Text>
          Convoke handed it over{in_flight_at !== null && ' '}
          {in_flight_at !== null && <Moment at={in_flight_at} />}, and WhatsApp never answered. So nobody
          knows whether it reached {recipientName(message.to)}.{' '}
          {can('messages.send')
            ? `Ask ${message.to.group_id === null ? 'the recipient' : 'somebody there'}, or look at the chat on the phone, then choose.`
            : 'Somebody who may send messages decides what becomes of it.'}
        </Text>
        {can('messages.send') && (
          <ul className={styles.choices}>
            {choices.map(([as, Picture]) => (
              <li key={as} className={styles.choice}>
                <Button
                  variant="default"
                  leftSection={<Picture size="1.2em" aria-hidden />}
                  aria-describedby={`choice-${as}`}
                  loading={pending === as}
                  disabled={pending !== undefined && pending !== as}
                  onClick={() => ask(as)}
                >
                  {choiceWords[as].verb}
                </Button>
                <Text size="sm" id={`choice-${as}`} flex={1}>
                  {choiceWords[as].meaning}
                </Text>
              </li>
            ))}
          </ul>
        )}
      </Stack>
    </Alert>
  );
}

/** The same choices in a list of many, where each press explains itself before it counts. */
export function DecideInRow({ message }: { message: Message }) {
  const { ask, pending } = useResolve(message);
  return (
    <Group gap="xs" wrap="nowrap">
      {choices.map(([as]) => (
        <Button
          key={as}
          variant="default"
          size="sm"
          px="sm"
          aria-label={`${choiceWords[as].verb}: message to ${recipientName(message.to)}`}
          loading={pending === as}
          disabled={pending !== undefined && pending !== as}
          onClick={() => ask(as)}
        >
          {choiceWords[as].verb}
        </Button>
      ))}
    </Group>
  );
}
