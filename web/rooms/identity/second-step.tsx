import { Alert, Button, Stack, TextInput } from '@mantine/core';
import { useMutation } from '@tanstack/react-query';
import { type FormEvent, useState } from 'react';
import { Problem } from '../../kit/api.ts';
import { signInWithCode } from './api.ts';
import { Entry } from './entry.tsx';

type Props = { challenge: string; onIn: () => void; onBack: () => void };

/** The password was right; now the code of the app, or a recovery code when the phone is gone. */
export function SecondStep({ challenge, onIn, onBack }: Props) {
  const [recovering, setRecovering] = useState(false);
  const [code, setCode] = useState('');
  const finish = useMutation({
    mutationFn: () => signInWithCode(challenge, code.trim()),
    onSuccess: onIn,
    onError: () => setCode(''),
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (code.trim() !== '' && !finish.isPending) finish.mutate();
  };
  const turn = () => {
    setRecovering(!recovering);
    setCode('');
    finish.reset();
  };
  return (
    <Entry
      title="One more step"
      intro={
        recovering
          ? 'Type one of the recovery codes that you kept. Each works once.'
          : 'Type the code that your authenticator app shows for Convoke.'
      }
    >
      <form onSubmit={submit} noValidate>
        <Stack gap="md">
          {finish.error && (
            <Alert color="red" role="alert">
              {finish.error instanceof Problem ? finish.error.message : 'That did not work. Try again.'}
            </Alert>
          )}
          <TextInput
            key={recovering ? 'recovery' : 'app'}
            label={recovering ? 'Recovery code' : 'Code'}
            name="code"
            value={code}
            onChange={event => setCode(event.currentTarget.value)}
            autoComplete="one-time-code"
            inputMode={recovering ? 'text' : 'numeric'}
            autoCapitalize="none"
            spellCheck={false}
            autoFocus
          />
          <Button type="submit" loading={finish.isPending} fullWidth>
            Sign in
          </Button>
          <Button variant="subtle" onClick={turn} fullWidth>
            {recovering ? 'Use the authenticator app' : 'Use a recovery code'}
          </Button>
          <Button variant="subtle" color="gray" onClick={onBack} fullWidth>
            Back
          </Button>
        </Stack>
      </form>
    </Entry>
  );
}
