import { Button, Stack, Text } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { Moment } from '../../../kit/moment.tsx';
import { Row, Rows } from '../../../kit/rows.tsx';
import { toastDone, toastProblem } from '../../../kit/toast.tsx';
import { Loaded } from '../../../kit/waiting.tsx';
import { endLogin, endOtherLogins, type Login, loginsQuery } from './api.ts';

/** Every device on which the person is signed in. */
export function Devices() {
  const query = useQuery(loginsQuery);
  return (
    <Loaded query={query} what="devices">
      {logins => (
        <Stack gap="md" align="flex-start">
          <Stack w="100%">
            <Rows label="Devices">
              {logins.map(login => (
                <Device key={login.id} login={login} />
              ))}
            </Rows>
          </Stack>
          {logins.length > 1 && <EndOthers />}
        </Stack>
      )}
    </Loaded>
  );
}

function Device({ login }: { login: Login }) {
  const client = useQueryClient();
  const name = login.device ?? (login.kind === 'client' ? 'A program' : 'An unknown device');
  const end = useMutation({
    mutationFn: () => endLogin(login.id),
    onSuccess: () => toastDone(`${name} is signed out.`),
    onError: error => toastProblem(`${name} is still signed in`, error),
    onSettled: () => client.invalidateQueries({ queryKey: loginsQuery.queryKey }),
  });
  return (
    <Row
      title={name}
      meta={
        <>
          {login.address !== null && `${login.address} · `}
          {login.current ? (
            'in use now'
          ) : (
            <>
              seen <Moment at={login.seen_at} />
            </>
          )}{' '}
          · signed in <Moment at={login.created_at} />
        </>
      }
      status={
        login.current ? (
          <Text size="sm">This device</Text>
        ) : (
          <Button
            variant="default"
            size="sm"
            aria-label={`Sign out ${name}`}
            loading={end.isPending}
            onClick={() => end.mutate()}
          >
            Sign out
          </Button>
        )
      }
    />
  );
}

function EndOthers() {
  const client = useQueryClient();
  const end = useMutation({
    mutationFn: endOtherLogins,
    onSuccess: () => toastDone('You are signed in on this device alone.'),
    onError: error => toastProblem('The others are still signed in', error),
    onSettled: () => client.invalidateQueries({ queryKey: loginsQuery.queryKey }),
  });
  return (
    <Button variant="light" color="red" loading={end.isPending} onClick={() => end.mutate()}>
      Sign out everywhere else
    </Button>
  );
}
