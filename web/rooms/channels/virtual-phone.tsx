import { Alert, Anchor, Button, Stack, Text, TextInput } from '@mantine/core';
import { IconCopy, IconDeviceMobile } from '@tabler/icons-react';
import { useRef, useState } from 'react';

/** In a sandbox no real phone can scan; its virtual phones take the text of the code. */
export function VirtualPhone({ code, what, page }: { code: string; what: string; page: string | null }) {
  const field = useRef<HTMLInputElement>(null);
  const [copied, setCopied] = useState(false);

  const copy = async () => {
    field.current?.select();
    try {
      await navigator.clipboard.writeText(code);
      setCopied(true);
    } catch {
      // Plain http has no clipboard; the text is selected and one key away.
    }
  };

  return (
    <Alert color="gray" icon={<IconDeviceMobile aria-hidden />} title="This is a sandbox">
      <Stack gap="sm" align="flex-start">
        <Text size="sm">
          Open the{' '}
          {page === null ? (
            'virtual phones'
          ) : (
            <Anchor href={page} target="_blank" rel="noreferrer" underline="always" inherit>
              virtual phones
            </Anchor>
          )}
          , choose Linked devices on one of them, and give it this {what}.
        </Text>
        <Button
          size="sm"
          variant="default"
          leftSection={<IconCopy size="1.1em" aria-hidden />}
          onClick={() => void copy()}
        >
          {copied ? 'Copied' : 'Copy code for the virtual phone'}
        </Button>
        <TextInput
          ref={field}
          w="100%"
          size="sm"
          label="Code for the virtual phone"
          value={code}
          readOnly
          onFocus={event => event.currentTarget.select()}
        />
      </Stack>
    </Alert>
  );
}
