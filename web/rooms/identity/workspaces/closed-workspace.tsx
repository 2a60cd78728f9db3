import { Button } from '@mantine/core';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { Empty } from '../../../kit/empty.tsx';
import { Moment } from '../../../kit/moment.tsx';
import { toastDone, toastProblem } from '../../../kit/toast.tsx';
import { meQuery } from '../api.ts';
import { keepWorkspace } from './api.ts';

/** Stands for every page of a workspace that is to be deleted. */
export function ClosedWorkspace({ slug, name, due }: { slug: string; name: string; due: string }) {
  const client = useQueryClient();
  const keep = useMutation({
    mutationFn: () => keepWorkspace(slug),
    onSuccess: () => toastDone(`${name} stays. Nothing is sent until you arm it: Settings, Sending.`),
    onError: error => toastProblem(`${name} is still to be deleted`, error),
    onSettled: () => client.invalidateQueries({ queryKey: meQuery.queryKey }),
  });
  return (
    <Empty
      shape="quiet"
      order={1}
      title={`${name} is closed`}
      action={
        <Button loading={keep.isPending} onClick={() => keep.mutate()}>
          Keep it
        </Button>
      }
    >
      It is deleted for good <Moment at={due} />. Until then an owner can keep it.
    </Empty>
  );
}
