import { Button, Group, Modal, Stack, Text, TextInput } from '@mantine/core';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { type FormEvent, useState } from 'react';
import { Problem } from '../../../kit/api.ts';
import { ErrorView } from '../../../kit/error-view.tsx';
import { PasswordInput } from '../../../kit/password-input.tsx';
import { toastDone } from '../../../kit/toast.tsx';
import { removeSecondFactor, renewRecoveryCodes, secondFactorQuery } from './api.ts';
import { KeepCodes } from './keep-codes.tsx';

const WORDS = {
  remove: {
    title: 'Turn the second factor off?',
    about: 'From then on the password alone lets somebody in.',
    verb: 'Turn off',
    color: 'red',
  },
  renew: {
    title: 'New recovery codes',
    about: 'The codes that you have now open nothing any more.',
    verb: 'Make new codes',
    color: undefined,
  },
};

/** Both factors once more, before one of them changes. */
export function ProofDialog({ what, close }: { what: keyof typeof WORDS; close: () => void }) {
  const client = useQueryClient();
  const [password, setPassword] = useState('');
  const [code, setCode] = useState('');
  const [codes, setCodes] = useState<string[]>();
  const words = WORDS[what];
  const end = () => {
    void client.invalidateQueries({ queryKey: secondFactorQuery.queryKey });
    close();
  };
  const act = useMutation({
    mutationFn: async () => {
      const proof = { password, code: code.trim() };
      return what === 'renew' ? renewRecoveryCodes(proof) : removeSecondFactor(proof);
    },
    onSuccess: made => {
      if (Array.isArray(made)) return setCodes(made);
      toastDone('The second factor is off.');
      end();
    },
    onError: () => setCode(''),
  });
  const fault = (field: string) => (act.error instanceof Problem ? act.error.of(field) : undefined);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (password !== '' && code.trim() !== '' && !act.isPending) act.mutate();
  };
  return (
    <Modal opened onClose={end} title={words.title} closeButtonProps={{ 'aria-label': 'Close' }}>
      {codes ? (
        <KeepCodes codes={codes} close={end} />
      ) : (
        <form onSubmit={submit} noValidate>
          <Stack gap="md">
            {act.error && !fault('password') && !fault('code') && <ErrorView error={act.error} />}
            <Text>{words.about}</Text>
            <PasswordInput
              label="Your password"
              autoComplete="current-password"
              value={password}
              onChange={event => setPassword(event.currentTarget.value)}
              error={fault('password')}
              data-autofocus
            />
            <TextInput
              label="Code of the app, or a recovery code"
              autoComplete="one-time-code"
              value={code}
              onChange={event => setCode(event.currentTarget.value)}
              error={fault('code')}
            />
            <Group justify="flex-end">
              <Button variant="default" onClick={close}>
                Cancel
              </Button>
              <Button type="submit" loading={act.isPending} {...(words.color ? { color: words.color } : {})}>
                {words.verb}
              </Button>
            </Group>
          </Stack>
        </form>
      )}
    </Modal>
  );
}
