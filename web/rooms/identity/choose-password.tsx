import { Button, Stack } from '@mantine/core';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { type FormEvent, type ReactNode, useState } from 'react';
import { Problem } from '../../kit/api.ts';
import { useFirstFault } from '../../kit/first-fault.ts';
import { textOf } from './form-text.ts';
import { NewPassword, passwordFault } from './new-password.tsx';
import { Refused } from './refused.tsx';

type Props = {
  /** Undefined where the person still has to show a second factor at the sign-in. */
  save: (password: string) => Promise<object | undefined>;
  /** For who comes with a link that is over. */
  otherwise: ReactNode;
};

/** A password by a link that works once. */
export function ChoosePassword({ save, otherwise }: Props) {
  const client = useQueryClient();
  const navigate = useNavigate();
  const [faults, setFaults] = useState<{ password?: string }>({});
  const choose = useMutation({
    mutationFn: save,
    onSuccess: me => {
      client.clear();
      return navigate({ to: me ? '/' : '/sign-in', replace: true });
    },
  });
  const ref = useFirstFault(faults, choose.error);
  const refused = choose.error instanceof Problem ? choose.error.of('password') : undefined;
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const password = textOf(new FormData(event.currentTarget), 'password');
    const short = passwordFault(password);
    setFaults(short === undefined ? {} : { password: short });
    if (short === undefined && !choose.isPending) choose.mutate(password);
  };
  return (
    <form ref={ref} onSubmit={submit} noValidate>
      <Stack gap="md">
        <Refused error={choose.error} fields={['password']} />
        <NewPassword label="New password" error={faults.password ?? refused} autoFocus />
        <Button type="submit" loading={choose.isPending} fullWidth>
          Save and sign in
        </Button>
        {otherwise}
      </Stack>
    </form>
  );
}
