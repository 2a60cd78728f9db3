import { Button, Group, Modal, Radio, Stack, Text, TextInput } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { Problem } from '../../../kit/api.ts';
import { ErrorView } from '../../../kit/error-view.tsx';
import { useWorkspace } from '../../../kit/workspace.tsx';
import { HandOn } from '../hand-on.tsx';
import { instanceQuery } from '../people/api.ts';
import { invite, type Role } from './api.ts';
import { givenBy, roles } from './words.ts';

/** First what the person may do, then the link to hand on. */
export function InviteDialog({ close }: { close: () => void }) {
  const workspace = useWorkspace();
  const client = useQueryClient();
  const [role, setRole] = useState<Role>('agent');
  const [email, setEmail] = useState('');
  const mailLeaves = useQuery(instanceQuery).data?.mail !== false;
  const address = email.trim();
  const make = useMutation({
    mutationFn: () => invite(workspace.api, role, address),
    onSuccess: () => client.invalidateQueries({ queryKey: [workspace.slug, 'members'] }),
  });
  const fault = make.error instanceof Problem ? make.error.of('email') : undefined;
  return (
    <Modal
      opened
      onClose={close}
      title={`Invite somebody to ${workspace.name}`}
      closeButtonProps={{ 'aria-label': 'Close' }}
    >
      {make.data?.link === null ? (
        <Sent to={make.data.email ?? ''} close={close} />
      ) : make.data ? (
        <TheLink link={make.data.link} role={make.data.role} close={close} />
      ) : (
        <Stack gap="lg">
          {make.error && fault === undefined && <ErrorView error={make.error} />}
          <TextInput
            label="E-mail address"
            description={
              mailLeaves
                ? 'Leave it empty to get a link that you hand on yourself.'
                : 'No mail leaves this Convoke: you get a link that you hand on yourself.'
            }
            disabled={!mailLeaves}
            type="email"
            autoComplete="off"
            value={email}
            onChange={event => setEmail(event.currentTarget.value)}
            error={fault}
          />
          <Radio.Group label="They come in as" value={role} onChange={value => setRole(value as Role)}>
            <Stack gap="sm" pt="sm">
              {givenBy(workspace.role).map(one => (
                <Radio key={one} value={one} label={roles[one].word} description={roles[one].means} />
              ))}
            </Stack>
          </Radio.Group>
          <Group justify="flex-end">
            <Button variant="default" onClick={close}>
              Cancel
            </Button>
            <Button loading={make.isPending} onClick={() => make.mutate()}>
              {address === '' ? 'Make a link' : 'Send invitation'}
            </Button>
          </Group>
        </Stack>
      )}
    </Modal>
  );
}

function TheLink({ link, role, close }: { link: string; role: Role; close: () => void }) {
  return (
    <Stack gap="md">
      <HandOn
        label="Link"
        text={link}
        copy="Copy link"
        about={`Send this link to one person. Whoever opens it first comes in as ${roles[role].word.toLowerCase()}. It works once, for seven days, and is shown only now.`}
      />
      <Group justify="flex-end">
        <Button variant="default" onClick={close}>
          Done
        </Button>
      </Group>
    </Stack>
  );
}

function Sent({ to, close }: { to: string; close: () => void }) {
  return (
    <Stack gap="md">
      <Text>
        The invitation is on its way to {to}. Its link works once, for seven days, and nobody else has it.
      </Text>
      <Group justify="flex-end">
        <Button onClick={close}>Done</Button>
      </Group>
    </Stack>
  );
}
