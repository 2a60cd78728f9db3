import { Alert, Button, Stack } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useRouter, useSearch } from '@tanstack/react-router';
import { type FormEvent, useEffect, useState } from 'react';
import { Problem } from '../../../kit/api.ts';
import { ownPath } from '../../../kit/own-path.ts';
import { Loaded } from '../../../kit/waiting.tsx';
import { meQuery } from '../api.ts';
import { Entry } from '../entry.tsx';
import { Refused } from '../refused.tsx';
import { SignOut } from '../sign-out.tsx';
import { AcceptTerms } from './accept-terms.tsx';
import { acceptTerms, type Instance, instanceQuery } from './api.ts';

/** Stands before every page while the terms are newer than what the person has accepted; then the way goes on. */
export function TermsPage() {
  const { next } = useSearch({ from: '/terms' });
  const router = useRouter();
  const due = useQuery(meQuery).data?.user.terms_due;
  const instance = useQuery({ ...instanceQuery, refetchOnMount: 'always' });
  useEffect(() => {
    if (due === false) router.history.replace(ownPath(next));
  }, [due, next, router]);
  return (
    <Entry
      title="Please read the terms"
      intro="They are new, or have changed since you accepted them. What you have here waits for you, and what is planned goes out."
    >
      <Loaded query={instance} what="terms">
        {({ terms }) => <Accept terms={terms} />}
      </Loaded>
      <SignOut />
    </Entry>
  );
}

function Accept({ terms }: { terms: Instance['terms'] }) {
  const client = useQueryClient();
  const [lack, setLack] = useState<string>();
  const accept = useMutation({
    mutationFn: acceptTerms,
    onSuccess: me => client.setQueryData(meQuery.queryKey, me),
    onError: () => client.invalidateQueries({ queryKey: instanceQuery.queryKey }),
  });
  const moved = accept.error instanceof Problem && accept.error.code === 'conflict';
  if (terms === null) {
    return (
      <Button fullWidth onClick={() => void client.invalidateQueries({ queryKey: meQuery.queryKey })}>
        Go on
      </Button>
    );
  }
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const read = new FormData(event.currentTarget).get('accept_terms') !== null;
    setLack(read ? undefined : 'Read and accept the terms first.');
    if (read && !accept.isPending) accept.mutate(terms.version);
  };
  return (
    <form onSubmit={submit} noValidate key={terms.version}>
      <Stack gap="md">
        {moved ? (
          <Alert role="alert">The terms have changed once more. Please read them as they are now.</Alert>
        ) : (
          <Refused error={accept.error} />
        )}
        <AcceptTerms terms={terms} error={lack} />
        <Button type="submit" loading={accept.isPending} fullWidth>
          Accept and go on
        </Button>
      </Stack>
    </form>
  );
}
