import { Button, Code, Group, Modal, Stack, Text, TextInput } from '@mantine/core';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { type FormEvent, useState } from 'react';
import { Problem } from '../../../kit/api.ts';
import { ErrorView } from '../../../kit/error-view.tsx';
import { PasswordInput } from '../../../kit/password-input.tsx';
import { QrCode } from '../../../kit/qr-code.tsx';
import { beginSecondFactor, confirmSecondFactor, type Setup, secondFactorQuery } from './api.ts';
import { KeepCodes } from './keep-codes.tsx';

/** Password, then the app, then the codes for the day on which the phone is gone. */
export function SetupDialog({ close }: { close: () => void }) {
  const client = useQueryClient();
  const [setup, setSetup] = useState<Setup>();
  const [codes, setCodes] = useState<string[]>();
  const end = () => {
    void client.invalidateQueries({ queryKey: secondFactorQuery.queryKey });
    close();
  };
  return (
    <Modal
      opened
      onClose={end}
      title="Set up the second factor"
      closeButtonProps={{ 'aria-label': 'Close' }}
      closeOnClickOutside={codes === undefined}
    >
      {codes ? (
        <KeepCodes codes={codes} close={end} />
      ) : setup ? (
        <ScanStep setup={setup} onCodes={setCodes} />
      ) : (
        <PasswordStep onSetup={setSetup} close={end} />
      )}
    </Modal>
  );
}

function PasswordStep({ onSetup, close }: { onSetup: (setup: Setup) => void; close: () => void }) {
  const [password, setPassword] = useState('');
  const begin = useMutation({ mutationFn: () => beginSecondFactor(password), onSuccess: onSetup });
  const fault = begin.error instanceof Problem ? begin.error.of('password') : undefined;
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (password !== '' && !begin.isPending) begin.mutate();
  };
  return (
    <form onSubmit={submit} noValidate>
      <Stack gap="md">
        {begin.error && fault === undefined && <ErrorView error={begin.error} />}
        <PasswordInput
          label="Your password"
          autoComplete="current-password"
          value={password}
          onChange={event => setPassword(event.currentTarget.value)}
          error={fault}
          data-autofocus
        />
        <Group justify="flex-end">
          <Button variant="default" onClick={close}>
            Cancel
          </Button>
          <Button type="submit" loading={begin.isPending}>
            Continue
          </Button>
        </Group>
      </Stack>
    </form>
  );
}

function ScanStep({ setup, onCodes }: { setup: Setup; onCodes: (codes: string[]) => void }) {
  const [code, setCode] = useState('');
  const confirm = useMutation({
    mutationFn: () => confirmSecondFactor(code.trim()),
    onSuccess: onCodes,
    onError: () => setCode(''),
  });
  const fault = confirm.error instanceof Problem ? confirm.error.of('code') : undefined;
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (code.trim() !== '' && !confirm.isPending) confirm.mutate();
  };
  return (
    <form onSubmit={submit} noValidate>
      <Stack gap="md" align="center">
        {confirm.error && fault === undefined && <ErrorView error={confirm.error} />}
        <Text w="100%">Scan this with an authenticator app, then type the code that it shows.</Text>
        <QrCode text={setup.otpauth_uri} label="QR code to scan with an authenticator app" />
        <Text size="sm" c="dimmed" w="100%">
          No camera? Type this into the app: <Code>{setup.secret.replace(/(.{4})(?=.)/g, '$1 ')}</Code>
        </Text>
        <TextInput
          w="100%"
          label="Code"
          value={code}
          onChange={event => setCode(event.currentTarget.value)}
          error={fault}
          autoComplete="one-time-code"
          inputMode="numeric"
          data-autofocus
        />
        <Button type="submit" loading={confirm.isPending} fullWidth>
          Turn on
        </Button>
      </Stack>
    </form>
  );
}
