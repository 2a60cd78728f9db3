import { ActionIcon, Group, Stack, Text, Textarea, Tooltip } from '@mantine/core';
import { type Icon, IconBold, IconCode, IconItalic, IconStrikethrough } from '@tabler/icons-react';
import { useRef } from 'react';
import { flushSync } from 'react-dom';
import { numberWords } from '../../kit/reader.ts';
import { type Mark, toggleMark } from '../messages/formatting.ts';
import { lengthOf } from './draft.ts';
import { PhonePreview } from './phone-preview.tsx';
import styles from './wizard.module.css';

const tools: [mark: Mark, word: string, icon: Icon, key: string][] = [
  ['bold', 'Bold', IconBold, 'b'],
  ['italic', 'Italic', IconItalic, 'i'],
  ['strike', 'Strikethrough', IconStrikethrough, ''],
  ['mono', 'Monospace', IconCode, ''],
];

type Props = {
  body: string;
  change: (body: string) => void;
  lack: string | undefined;
  limit: number;
  sender: string;
  group: string | undefined;
  time: string;
};

export function StepMessage({ body, change, lack, limit, sender, group, time }: Props) {
  const field = useRef<HTMLTextAreaElement>(null);

  const mark = (kind: Mark) => {
    const area = field.current;
    if (!area) return;
    const next = toggleMark({ text: area.value, start: area.selectionStart, end: area.selectionEnd }, kind);
    // The text is controlled, so it must be written before the selection; at once, for those who type on.
    flushSync(() => change(next.text));
    area.focus();
    area.setSelectionRange(next.start, next.end);
  };

  const length = lengthOf(body);
  return (
    <div className={styles.split}>
      <Stack gap="sm">
        <Group gap="xs" role="toolbar" aria-label="Formatting">
          {tools.map(([kind, word, Picture]) => (
            <Tooltip key={kind} label={word}>
              <ActionIcon variant="default" size="lg" aria-label={word} onClick={() => mark(kind)}>
                <Picture size="1.2em" aria-hidden />
              </ActionIcon>
            </Tooltip>
          ))}
        </Group>
        <Textarea
          ref={field}
          label="Message"
          autosize
          minRows={6}
          maxRows={16}
          value={body}
          error={lack}
          onChange={event => change(event.currentTarget.value)}
          onKeyDown={event => {
            const tool = tools.find(([, , , key]) => key !== '' && key === event.key);
            if (!tool || !(event.ctrlKey || event.metaKey)) return;
            event.preventDefault();
            mark(tool[0]);
          }}
        />
        <Text size="sm" c={length > limit ? 'red' : 'dimmed'} ta="end">
          {numberWords(length)} of {numberWords(limit)} characters
        </Text>
      </Stack>
      <PhonePreview text={body} sender={sender} group={group} time={time} />
    </div>
  );
}
