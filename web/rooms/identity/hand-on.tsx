import { Button, CopyButton, Group, Text, TextInput } from '@mantine/core';
import { IconCheck, IconCopy } from '@tabler/icons-react';

type Props = { label: string; text: string; copy: string; about: string };

/** A secret that is shown once, to be copied and handed on. */
export function HandOn({ label, text, copy: verb, about }: Props) {
  return (
    <>
      <Text>{about}</Text>
      <Group align="flex-end">
        <TextInput
          flex="1 1 var(--convoke-phone)"
          label={label}
          value={text}
          readOnly
          data-autofocus
          onFocus={event => event.currentTarget.select()}
        />
        <CopyButton value={text}>
          {({ copied, copy }) => (
            <Button
              onClick={copy}
              leftSection={
                copied ? <IconCheck size="1.2em" aria-hidden /> : <IconCopy size="1.2em" aria-hidden />
              }
            >
              {copied ? 'Copied' : verb}
            </Button>
          )}
        </CopyButton>
      </Group>
    </>
  );
}
