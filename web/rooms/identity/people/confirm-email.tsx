import { Button, Stack } from '@mantine/core';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useNavigate, useParams } from '@tanstack/react-router';
import { toastDone } from '../../../kit/toast.tsx';
import { Entry } from '../entry.tsx';
import { Refused } from '../refused.tsx';
import { confirmEmail } from './api.ts';

/** A press, not the visit, confirms: programs that look into mails follow links, too. */
export function ConfirmEmail() {
  const { token } = useParams({ from: '/confirm/$token' });
  const client = useQueryClient();
  const navigate = useNavigate();
  const confirm = useMutation({
    mutationFn: () => confirmEmail(token),
    onSuccess: me => {
      client.setQueryData(['me'], me);
      toastDone('Your e-mail address is changed.');
      return navigate({ to: '/', replace: true });
    },
  });
  return (
    <Entry title="Your new e-mail address" intro="From then on you sign in with it, and mails go there.">
      <Stack gap="md">
        <Refused error={confirm.error} />
        <Button loading={confirm.isPending} onClick={() => confirm.mutate()} fullWidth>
          Use this address
        </Button>
      </Stack>
    </Entry>
  );
}
