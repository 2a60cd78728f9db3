import { ActionIcon, Menu } from '@mantine/core';
import { IconDots, IconParking, IconTrash, IconUnlink } from '@tabler/icons-react';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { useState } from 'react';
import { confirmThat } from '../../kit/confirm.tsx';
import { toastDone, toastProblem } from '../../kit/toast.tsx';
import { useWorkspace } from '../../kit/workspace.tsx';
import { type Channel, deleteChannel, unpairChannel } from './api.ts';
import { parkingsQuery } from './parking/api.ts';
import { Park } from './parking/park.tsx';
import { parkingOf } from './parking/words.ts';

/** What is rarely done to a channel, each with its consequence named before. */
export function ChannelMenu({ channel }: { channel: Channel }) {
  const workspace = useWorkspace();
  const { slug, api } = workspace;
  const client = useQueryClient();
  const navigate = useNavigate();
  const parkings = useQuery(parkingsQuery(workspace)).data;
  const [parking, setParking] = useState(false);
  const what = { channelId: channel.id, label: channel.label };
  const refresh = () => client.invalidateQueries({ queryKey: [slug] });

  const unpair = useMutation({
    mutationFn: () => unpairChannel(api, channel.id),
    onSuccess: () => {
      toastDone(`${channel.label} is unpaired.`);
      return refresh();
    },
    onError: problem => toastProblem(`${channel.label} was not unpaired`, problem),
  });
  const remove = useMutation({
    mutationFn: () => deleteChannel(api, channel.id),
    onSuccess: async () => {
      toastDone(`${channel.label} is deleted.`);
      await navigate({ to: '/w/$slug/channels', params: { slug }, replace: true });
      return refresh();
    },
    onError: problem => toastProblem(`${channel.label} was not deleted`, problem),
  });

  const askUnpair = () =>
    confirmThat({
      title: `Unpair ${channel.label}?`,
      consequence:
        'Convoke disappears from the linked devices of the phone. The channel, its groups and its reminders stay, and wait until a phone is paired again.',
      verb: 'Unpair',
      act: () => unpair.mutate(),
    });
  const askDelete = () =>
    confirmThat({
      title: `Delete ${channel.label}?`,
      consequence:
        'Convoke logs out at WhatsApp and forgets this number and its groups. Nothing more is sent from it, its reminders included. This cannot be undone.',
      verb: 'Delete channel',
      act: () => remove.mutate(),
    });

  return (
    <>
      {parking && <Park what={what} close={() => setParking(false)} />}
      <Menu withInitialFocusPlaceholder={false} position="bottom-end" shadow="md">
        <Menu.Target>
          <ActionIcon
            variant="default"
            size="input-md"
            aria-label="More actions"
            loading={unpair.isPending || remove.isPending}
          >
            <IconDots size="1.2em" aria-hidden />
          </ActionIcon>
        </Menu.Target>
        <Menu.Dropdown>
          {parkings && !parkingOf(parkings, what) && (
            <Menu.Item
              leftSection={<IconParking size="1.1em" aria-hidden />}
              onClick={() => setParking(true)}
            >
              Park
            </Menu.Item>
          )}
          {channel.phone !== null && channel.status !== 'unpaired' && (
            <Menu.Item leftSection={<IconUnlink size="1.1em" aria-hidden />} onClick={askUnpair}>
              Unpair
            </Menu.Item>
          )}
          <Menu.Item
            c="var(--mantine-color-error)"
            leftSection={<IconTrash size="1.1em" aria-hidden />}
            onClick={askDelete}
          >
            Delete
          </Menu.Item>
        </Menu.Dropdown>
      </Menu>
    </>
  );
}
