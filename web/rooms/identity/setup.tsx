import { Alert, Button, PasswordInput, Stack } from '@mantine/core';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useNavigate, useParams } from '@tanstack/react-router';
import { type FormEvent, useState } from 'react';
import { Problem } from '../../kit/api.ts';
import { TextLink } from '../../kit/links.tsx';
import { afterPress } from '../../kit/press.ts';
import { chooseFirstPassword } from './api.ts';
import { Entry } from './entry.tsx';

const LEAST_LENGTH = 10;

export function Setup() {
  const { token } = useParams({ from: '/setup/$token' });
  const navigate = useNavigate();
  const client = useQueryClient();
  const [password, setPassword] = useState('');
  const [left, setLeft] = useState(false);

  const choose = useMutation({
    mutationFn: () => chooseFirstPassword(token, password),
    onSuccess: me => {
      client.clear();
      return navigate({ to: me ? '/' : '/sign-in', replace: true });
    },
  });

  const tooShort = password.length < LEAST_LENGTH;
  const submit = (event: FormEvent) => {
    event.preventDefault();
    setLeft(true);
    if (!tooShort) choose.mutate();
  };

  return (
    <Entry
      title="Choose your password"
      intro="This link works once. With the password you sign in from now on."
    >
      <form onSubmit={submit} noValidate>
        <Stack gap="md">
          {choose.error && <Refused error={choose.error} />}
          <PasswordInput
            label="New password"
            description={`At least ${LEAST_LENGTH} characters. A few words that you can remember are better than signs that you cannot.`}
            name="new-password"
            autoComplete="new-password"
            autoFocus
            value={password}
            onChange={event => setPassword(event.currentTarget.value)}
            onBlur={() => afterPress(() => setLeft(password !== ''))}
            error={left && tooShort ? lacking(password.length) : undefined}
            visibilityToggleButtonProps={{ 'aria-label': 'Show or hide the password' }}
          />
          <Button type="submit" loading={choose.isPending} fullWidth>
            Save and sign in
          </Button>
        </Stack>
      </form>
    </Entry>
  );
}

function Refused({ error }: { error: Error }) {
  const gone =
    error instanceof Problem &&
    (error.status === 404 || error.status === 401 || error.code === 'illegal_state');
  return (
    <Alert color="red" role="alert">
      {gone ? (
        <>
          This link was used or is too old. <TextLink to="/sign-in">Sign in</TextLink>, or ask the operator of
          this Convoke to set a password.
        </>
      ) : (
        error.message
      )}
    </Alert>
  );
}

function lacking(length: number): string {
  const missing = LEAST_LENGTH - length;
  return `${missing} more ${missing === 1 ? 'character' : 'characters'}, please.`;
}
