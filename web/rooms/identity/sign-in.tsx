import { Alert, Button, Group, Stack, Text, TextInput } from '@mantine/core';
import { IconLogin2 } from '@tabler/icons-react';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useRouter, useSearch } from '@tanstack/react-router';
import { type FormEvent, useRef, useState } from 'react';
import { Problem } from '../../kit/api.ts';
import { useFirstFault } from '../../kit/first-fault.ts';
import { TextLink } from '../../kit/links.tsx';
import { ownPath } from '../../kit/own-path.ts';
import { PasswordInput } from '../../kit/password-input.tsx';
import { signIn } from './api.ts';
import { Entry } from './entry.tsx';
import { textOf } from './form-text.ts';
import { instanceQuery } from './people/api.ts';
import { SecondStep } from './second-step.tsx';

export function SignIn() {
  const { next } = useSearch({ from: '/sign-in' });
  const router = useRouter();
  const client = useQueryClient();
  const [challenge, setChallenge] = useState<string>();
  const enter = () => {
    client.clear();
    router.history.replace(ownPath(next));
  };
  if (challenge !== undefined) {
    return <SecondStep challenge={challenge} onIn={enter} onBack={() => setChallenge(undefined)} />;
  }
  return <FirstStep onIn={enter} onChallenge={setChallenge} />;
}

function FirstStep({ onIn, onChallenge }: { onIn: () => void; onChallenge: (challenge: string) => void }) {
  const [missing, setMissing] = useState<{ username?: string; password?: string }>({});
  const password = useRef<HTMLInputElement>(null);
  const instance = useQuery(instanceQuery);

  const login = useMutation({
    mutationFn: (given: { username: string; password: string }) => signIn(given.username, given.password),
    onSuccess: wanted => (wanted ? onChallenge(wanted.challenge) : onIn()),
    onError: () => password.current?.select(),
  });

  const ref = useFirstFault(missing, null);

  // Read from the form itself: password managers fill fields without telling anybody.
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    const given = { username: textOf(form, 'username').trim(), password: textOf(form, 'password') };
    const lacks = {
      ...(given.username === '' ? { username: 'Type your username or e-mail address.' } : {}),
      ...(given.password === '' ? { password: 'Type your password.' } : {}),
    };
    setMissing(lacks);
    if (Object.keys(lacks).length === 0 && !login.isPending) login.mutate(given);
  };

  return (
    <Entry title="Sign in" intro="Convoke calls people together.">
      <form ref={ref} onSubmit={submit} noValidate>
        <Stack gap="md">
          {login.error && (
            <Alert color="red" role="alert">
              {words(login.error)}
            </Alert>
          )}
          <TextInput
            label="Username or e-mail address"
            name="username"
            autoComplete="username"
            autoCapitalize="none"
            autoCorrect="off"
            spellCheck={false}
            autoFocus
            error={missing.username}
          />
          <PasswordInput
            ref={password}
            label="Password"
            name="password"
            autoComplete="current-password"
            error={missing.password}
          />
          <Button
            type="submit"
            loading={login.isPending}
            leftSection={<IconLogin2 size="1.2em" aria-hidden />}
            fullWidth
          >
            Sign in
          </Button>
          <Group justify="space-between" gap="xs">
            <Text size="sm">
              <TextLink to="/forgot">Forgot your password?</TextLink>
            </Text>
            {instance.data?.sign_up === 'open' && (
              <Text size="sm">
                <TextLink to="/sign-up">Make an account</TextLink>
              </Text>
            )}
          </Group>
        </Stack>
      </form>
    </Entry>
  );
}

function words(error: Error): string {
  if (error instanceof Problem && error.code === 'unauthenticated') {
    return 'Name and password do not match. Check both, or choose another password.';
  }
  return error instanceof Problem ? error.message : 'Signing in did not work. Try again.';
}
