import { Button } from '@mantine/core';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { signOut } from './api.ts';

/** Ends the login of this browser and shows the door; `next` is where whoever signs in then comes to. */
export function useSignOut(next?: string) {
  const client = useQueryClient();
  const navigate = useNavigate();
  return useMutation({
    mutationFn: signOut,
    onSettled: async () => {
      await navigate({ to: '/sign-in', search: next === undefined ? {} : { next }, replace: true });
      client.clear();
    },
  });
}

/** For pages that have no menu of the person. */
export function SignOut({ next }: { next?: string }) {
  const leave = useSignOut(next);
  return (
    <Button variant="subtle" color="gray" fullWidth loading={leave.isPending} onClick={() => leave.mutate()}>
      Sign out
    </Button>
  );
}
