import { ActionIcon, Group, TextInput, Title } from '@mantine/core';
import { IconCheck, IconPencil, IconX } from '@tabler/icons-react';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { type FormEvent, useState } from 'react';
import { Problem } from '../../kit/api.ts';
import { toastDone, toastProblem } from '../../kit/toast.tsx';
import { useWorkspace } from '../../kit/workspace.tsx';
import { type Channel, channelQuery, renameChannel } from './api.ts';

/** The name of the channel, edited where it stands. */
export function ChannelLabel({ channel }: { channel: Channel }) {
  const workspace = useWorkspace();
  const client = useQueryClient();
  const [text, setText] = useState<string>();
  const [fault, setFault] = useState<string>();

  const { queryKey } = channelQuery(workspace, channel.id);
  const rename = useMutation({
    mutationFn: ({ from, label }: { from: Channel; label: string }) =>
      renameChannel(workspace.api, from, label),
    onSuccess: (renamed, { from }) => {
      client.setQueryData(queryKey, renamed);
      void client.invalidateQueries({ queryKey: [workspace.slug, 'channels'] });
      setText(undefined);
      if (from === channel)
        toastDone(`Renamed to ${renamed.label}.`, () => rename.mutate({ from: renamed, label: from.label }));
    },
    onError: problem => {
      const said = problem instanceof Problem ? problem.of('label') : undefined;
      if (said === undefined) toastProblem('The name was not changed', problem);
      setFault(said);
    },
  });

  const submit = (event: FormEvent) => {
    event.preventDefault();
    const label = (text ?? '').trim();
    setFault(label === '' ? 'Give the channel a name.' : undefined);
    if (label === channel.label) setText(undefined);
    else if (label !== '') rename.mutate({ from: channel, label });
  };

  if (text === undefined) {
    return (
      <Group gap="xs" wrap="nowrap">
        <Title order={1}>{channel.label}</Title>
        <ActionIcon
          variant="subtle"
          color="gray"
          size="lg"
          aria-label="Rename"
          onClick={() => setText(channel.label)}
        >
          <IconPencil size="1.2em" aria-hidden />
        </ActionIcon>
      </Group>
    );
  }
  return (
    <form onSubmit={submit} noValidate>
      <Group gap="xs" wrap="nowrap" align="flex-start">
        <TextInput
          aria-label="Name of the channel"
          maxLength={80}
          autoFocus
          value={text}
          error={fault}
          onChange={event => setText(event.currentTarget.value)}
          onKeyDown={event => event.key === 'Escape' && setText(undefined)}
        />
        <ActionIcon type="submit" size="input-md" aria-label="Save the name" loading={rename.isPending}>
          <IconCheck size="1.2em" aria-hidden />
        </ActionIcon>
        <ActionIcon
          variant="default"
          size="input-md"
          aria-label="Leave the name as it was"
          onClick={() => setText(undefined)}
        >
          <IconX size="1.2em" aria-hidden />
        </ActionIcon>
      </Group>
    </form>
  );
}
