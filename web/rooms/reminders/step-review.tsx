import { Button, Paper, Stack, Text, Title } from '@mantine/core';
import type { ReactNode } from 'react';
import type { Channel } from '../channels/api.ts';
import { MessageText } from '../messages/message-text.tsx';
import { type Draft, type Step, targetsOn } from './draft.ts';
import { NextDates } from './next-dates.tsx';
import { namesTogether } from './sentence.ts';
import { nameOf } from './step-who.tsx';
import type { PreviewState } from './use-preview.ts';
import styles from './wizard.module.css';

type Props = {
  draft: Draft;
  channel: Channel | undefined;
  steps: readonly Step[];
  when: string;
  preview: PreviewState;
  goTo: (step: Step) => void;
};

export function StepReview({ draft, channel, steps, when, preview, goTo }: Props) {
  const names = targetsOn(draft, channel?.id ?? null).map(nameOf);
  return (
    <div className={styles.split}>
      <Stack gap="lg">
        <Answer step="message" title="Message" steps={steps} goTo={goTo}>
          <Paper p="md" radius="md" bg="var(--convoke-ground)">
            <MessageText text={draft.body.trim()} />
          </Paper>
        </Answer>
        <Answer step="when" title="When" steps={steps} goTo={goTo}>
          <Text>{when}</Text>
        </Answer>
        <Answer step="who" title="Who" steps={steps} goTo={goTo}>
          <Text>{names.length > 3 ? names.join(', ') : namesTogether(names)}</Text>
        </Answer>
        <Answer step="channel" title="From" steps={steps} goTo={goTo}>
          <Text>{channel?.label ?? 'No channel yet'}</Text>
        </Answer>
      </Stack>
      <NextDates draft={draft} preview={preview} />
    </div>
  );
}

type AnswerProps = { step: Step; title: string; children: ReactNode } & Pick<Props, 'steps' | 'goTo'>;

function Answer({ step, title, steps, goTo, children }: AnswerProps) {
  return (
    <Stack gap="xs" align="stretch" component="section" aria-label={title}>
      <Title order={3}>
        {title}{' '}
        {steps.includes(step) && (
          <Button
            variant="subtle"
            size="compact-sm"
            aria-label={`Change: ${title}`}
            onClick={() => goTo(step)}
          >
            Change
          </Button>
        )}
      </Title>
      {children}
    </Stack>
  );
}
