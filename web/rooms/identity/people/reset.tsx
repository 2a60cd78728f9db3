import { Button, Stack, Text } from '@mantine/core';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useNavigate, useParams } from '@tanstack/react-router';
import { type FormEvent, useState } from 'react';
import { Problem } from '../../../kit/api.ts';
import { TextLink } from '../../../kit/links.tsx';
import { Entry } from '../entry.tsx';
import { textOf } from '../form-text.ts';
import { NewPassword, passwordFault } from '../new-password.tsx';
import { Refused } from '../refused.tsx';
import { resetPassword } from './api.ts';

/** Another password by a link; all that the old one opened ends. */
export function Reset() {
  const { token } = useParams({ from: '/reset/$token' });
  const client = useQueryClient();
  const navigate = useNavigate();
  const [lack, setLack] = useState<string>();
  const reset = useMutation({
    mutationFn: (password: string) => resetPassword(token, password),
    onSuccess: me => {
      client.clear();
      return navigate(me ? { to: '/', replace: true } : { to: '/sign-in', replace: true });
    },
  });
  const fault = reset.error instanceof Problem ? reset.error.of('password') : undefined;
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const password = textOf(new FormData(event.currentTarget), 'password');
    setLack(passwordFault(password));
    if (passwordFault(password) === undefined && !reset.isPending) reset.mutate(password);
  };
  return (
    <Entry title="Choose another password" intro="This link works once. Everywhere else you are signed out.">
      <form onSubmit={submit} noValidate>
        <Stack gap="md">
          <Refused error={reset.error} fields={['password']} />
          <NewPassword label="New password" error={lack ?? fault} autoFocus />
          <Button type="submit" loading={reset.isPending} fullWidth>
            Save and sign in
          </Button>
          <Text size="sm">
            Is the link too old? <TextLink to="/forgot">Ask for another one</TextLink>
          </Text>
        </Stack>
      </form>
    </Entry>
  );
}
