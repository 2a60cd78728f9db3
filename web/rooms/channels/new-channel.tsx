import { Alert, Button, Paper, Stack, Text, TextInput } from '@mantine/core';
import { IconArrowRight, IconInfoCircle } from '@tabler/icons-react';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { type FormEvent, useState } from 'react';
import { Problem } from '../../kit/api.ts';
import { ErrorView } from '../../kit/error-view.tsx';
import { TextLink } from '../../kit/links.tsx';
import { Page } from '../../kit/page.tsx';
import { uuid } from '../../kit/uuid.ts';
import { useWorkspace } from '../../kit/workspace.tsx';
import { channelQuery, createChannel } from './api.ts';

const LONGEST_LABEL = 80;

export function NewChannel() {
  const workspace = useWorkspace();
  const { slug, api } = workspace;
  const navigate = useNavigate();
  const client = useQueryClient();
  const [label, setLabel] = useState('');
  const [lacking, setLacking] = useState(false);
  const [key, setKey] = useState(uuid);

  const create = useMutation({
    mutationFn: () => createChannel(api, label.trim(), key),
    onSuccess: channel => {
      client.setQueryData(channelQuery(workspace, channel.id).queryKey, channel);
      void client.invalidateQueries({ queryKey: [slug, 'channels'] });
      return navigate({ to: '/w/$slug/channels/$id/pair', params: { slug, id: channel.id }, replace: true });
    },
  });
  const refused = create.error instanceof Problem ? create.error.of('label') : undefined;

  const submit = (event: FormEvent) => {
    event.preventDefault();
    setLacking(label.trim() === '');
    if (label.trim() !== '' && !create.isPending) create.mutate();
  };

  return (
    <Page
      title="New channel"
      width="reading"
      back={
        <TextLink to="/w/$slug/channels" params={{ slug }}>
          Channels
        </TextLink>
      }
    >
      <Paper p={{ base: 'md', sm: 'xl' }} component="form" onSubmit={submit} noValidate>
        <Stack gap="lg" align="flex-start">
          {create.error && refused === undefined && <ErrorView error={create.error} />}
          <TextInput
            w="100%"
            label="Name"
            description="What you call this number, such as School office. Recipients do not see it."
            maxLength={LONGEST_LABEL}
            autoFocus
            value={label}
            onChange={event => {
              setLabel(event.currentTarget.value);
              setLacking(false);
              // Another name is another request.
              setKey(uuid());
            }}
            error={refused ?? (lacking ? 'Give the channel a name.' : undefined)}
          />
          <Honesty />
          <Button
            type="submit"
            loading={create.isPending}
            rightSection={<IconArrowRight size="1.2em" aria-hidden />}
          >
            Create and pair
          </Button>
        </Stack>
      </Paper>
    </Page>
  );
}

function Honesty() {
  return (
    <Alert color="gray" icon={<IconInfoCircle aria-hidden />} title="Good to know before you link a phone">
      <Stack gap="xs">
        <Text size="sm">
          Convoke becomes a linked device of this number, like WhatsApp on a computer. WhatsApp does not
          officially support programs there and may restrict numbers that write too much or to strangers.
        </Text>
        <Text size="sm">
          Use it for people and groups that know you, and keep the phone online at least every two weeks.
        </Text>
      </Stack>
    </Alert>
  );
}
