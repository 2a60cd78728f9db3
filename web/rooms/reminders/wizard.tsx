import { Button, Paper, Stack, Text, Title, UnstyledButton } from '@mantine/core';
import { IconArrowLeft, IconArrowRight, IconCheck } from '@tabler/icons-react';
import { type ReactNode, useEffect, useRef, useState } from 'react';
import { Page } from '../../kit/page.tsx';
import type { Step } from './draft.ts';
import styles from './wizard.module.css';

const names: Record<Step, string> = {
  channel: 'Channel',
  message: 'Message',
  when: 'When',
  who: 'Who',
  review: 'Review',
};

const questions: Record<Step, string> = {
  channel: 'Which number shall send it?',
  message: 'What shall it say?',
  when: 'When shall it go out?',
  who: 'Who shall get it?',
  review: 'Is everything right?',
};

type Props = {
  title: string;
  back: ReactNode;
  steps: readonly Step[];
  step: Step;
  goTo: (step: Step) => void;
  /** What the step lacks, in words; undefined = complete. */
  lackOf: (step: Step) => string | undefined;
  /** The whole reminder in one sentence. */
  sentence: string;
  saveWord: string;
  saving: boolean;
  save: () => void;
  /** What stands above the question, such as a refused save. */
  notice?: ReactNode;
  children: (lack: string | undefined) => ReactNode;
};

/** One question per step. Going on needs an answer, going back never loses one. */
export function Wizard(props: Props) {
  const { title, back, steps, step, goTo, lackOf, sentence, saveWord, saving, save, notice, children } =
    props;
  const [asked, setAsked] = useState<Step>();
  const question = useQuestionFocus(step);
  const at = steps.indexOf(step);
  const [before, after] = [steps[at - 1], steps[at + 1]];
  const firstLack = steps.find(one => lackOf(one) !== undefined);

  const goOn = () => {
    if (lackOf(step) !== undefined) setAsked(step);
    else if (after !== undefined) goTo(after);
    else if (firstLack === undefined) save();
    else {
      setAsked(firstLack);
      goTo(firstLack);
    }
  };

  return (
    <Page title={title} back={back}>
      <div className={styles.wizard}>
        <StepLine steps={steps} step={step} lackOf={lackOf} goTo={goTo} />
        {notice}
        <Paper p={{ base: 'md', sm: 'xl' }}>
          <Stack gap="lg">
            <Title order={2} ref={question} tabIndex={-1} className={styles.question}>
              {questions[step]}
            </Title>
            {children(asked === step ? lackOf(step) : undefined)}
          </Stack>
        </Paper>
        <Paper className={styles.bar} p="sm">
          <Text
            className={styles.sentence}
            size="sm"
            role="status"
            aria-label="Summary"
            data-testid="reminder-summary"
          >
            {sentence}
          </Text>
          <div className={styles.buttons}>
            {before !== undefined && (
              <Button
                variant="default"
                leftSection={<IconArrowLeft size="1.2em" aria-hidden />}
                onClick={() => goTo(before)}
              >
                Back
              </Button>
            )}
            {after === undefined ? (
              <Button leftSection={<IconCheck size="1.2em" aria-hidden />} loading={saving} onClick={goOn}>
                {saveWord}
              </Button>
            ) : (
              <Button rightSection={<IconArrowRight size="1.2em" aria-hidden />} onClick={goOn}>
                Next
              </Button>
            )}
          </div>
        </Paper>
      </div>
    </Page>
  );
}

function StepLine({ steps, step, lackOf, goTo }: Pick<Props, 'steps' | 'step' | 'lackOf' | 'goTo'>) {
  const firstLack = steps.findIndex(one => lackOf(one) !== undefined);
  const reachable = firstLack === -1 ? steps.length - 1 : firstLack;
  return (
    <nav aria-label="Steps">
      <ol className={styles.steps}>
        {steps.map((one, index) => (
          <li key={one}>
            <UnstyledButton
              className={styles.step}
              aria-current={one === step ? 'step' : undefined}
              aria-label={`Step ${index + 1}: ${names[one]}`}
              data-done={(lackOf(one) === undefined && index < steps.indexOf(step)) || undefined}
              disabled={index > reachable && index > steps.indexOf(step)}
              onClick={() => goTo(one)}
            >
              <span>{names[one]}</span>
            </UnstyledButton>
          </li>
        ))}
      </ol>
    </nav>
  );
}

/** Keyboards and screen readers land on the new question, but not on the first sight of the page. */
function useQuestionFocus(step: Step) {
  const question = useRef<HTMLHeadingElement>(null);
  const seen = useRef(step);
  useEffect(() => {
    if (seen.current === step) return;
    seen.current = step;
    question.current?.focus({ preventScroll: true });
    window.scrollTo({ top: 0 });
  }, [step]);
  return question;
}
