import { Button } from '@mantine/core';
import { IconPlayerPlay } from '@tabler/icons-react';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { confirmThat } from '../../../kit/confirm.tsx';
import { toastDone, toastProblem } from '../../../kit/toast.tsx';
import { useWorkspace } from '../../../kit/workspace.tsx';
import type { Channel } from '../api.ts';
import { resumeChannel } from './api.ts';

/** Lets a restricted number try before its time; says first what that risks. */
export function Resume({ channel }: { channel: Channel }) {
  const { slug, api, can } = useWorkspace();
  const client = useQueryClient();
  const resume = useMutation({
    mutationFn: () => resumeChannel(api, channel.id),
    onSuccess: () => toastDone(`${channel.label} tries again, with one message first.`),
    onError: problem => toastProblem('It does not try yet', problem),
    onSettled: () => client.invalidateQueries({ queryKey: [slug, 'channels'] }),
  });
  // While WhatsApp keeps the connection itself restricted, trying changes nothing.
  if (channel.restriction === null || channel.status !== 'connected' || !can('channels.manage')) return null;
  const ask = () =>
    confirmThat({
      title: `Let ${channel.label} try earlier?`,
      consequence:
        'One message goes first; only when it has arrived do the others follow. If WhatsApp refuses it, that message has failed and the pause gets longer.',
      verb: 'Try earlier',
      act: () => resume.mutate(),
    });
  return (
    <Button
      variant="default"
      size="sm"
      leftSection={<IconPlayerPlay size="1.1em" aria-hidden />}
      loading={resume.isPending}
      style={{ alignSelf: 'flex-start' }}
      onClick={ask}
    >
      Try earlier
    </Button>
  );
}
