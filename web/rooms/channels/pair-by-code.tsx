import { Button, Stack, TextInput } from '@mantine/core';
import { type FormEvent, useState } from 'react';
import { readPhone } from '../../kit/phone.ts';
import { afterPress } from '../../kit/press.ts';

/** Asks for the number of the phone that shall type the eight characters. */
export function PairByCode({
  busy,
  refused,
  ask,
}: {
  busy: boolean;
  refused: string | undefined;
  ask: (phone: string) => void;
}) {
  const [text, setText] = useState('');
  const [fault, setFault] = useState<string>();

  const submit = (event: FormEvent) => {
    event.preventDefault();
    const reading = readPhone(text);
    setFault(reading.ok ? undefined : reading.remedy);
    if (reading.ok && !busy) ask(reading.phone);
  };

  return (
    <form onSubmit={submit} noValidate style={{ textAlign: 'start', width: '100%' }}>
      <Stack gap="md">
        <TextInput
          label="Phone number"
          description="The number of that phone, in international form."
          placeholder="+49 170 1234567"
          type="tel"
          autoComplete="tel"
          value={text}
          onChange={event => {
            setText(event.currentTarget.value);
            setFault(undefined);
          }}
          onBlur={() => afterPress(() => setFault(text === '' ? undefined : remedyOf(text)))}
          error={fault ?? refused}
        />
        <Button type="submit" loading={busy}>
          Show the code
        </Button>
      </Stack>
    </form>
  );
}

function remedyOf(text: string): string | undefined {
  const reading = readPhone(text);
  return reading.ok ? undefined : reading.remedy;
}
