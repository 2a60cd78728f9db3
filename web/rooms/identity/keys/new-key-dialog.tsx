import { Button, Checkbox, Group, Modal, MultiSelect, Select, Stack, TextInput } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { type FormEvent, useState } from 'react';
import { Problem } from '../../../kit/api.ts';
import { serverNow } from '../../../kit/clock.ts';
import { useWorkspace } from '../../../kit/workspace.tsx';
import { channelsQuery } from '../../channels/api.ts';
import { HandOn } from '../hand-on.tsx';
import { Refused } from '../refused.tsx';
import { createKey, type KeyScope, type NewKey } from './api.ts';
import { endOf, keyScopes, lifetimes, scopeNames } from './words.ts';

/** First what the key may, then the key itself, once. */
export function NewKeyDialog({ close }: { close: () => void }) {
  const [made, setMade] = useState<string>();
  return (
    <Modal
      opened
      onClose={close}
      title="New API key"
      closeButtonProps={{ 'aria-label': 'Close' }}
      closeOnClickOutside={made === undefined}
    >
      {made === undefined ? <Ask onMade={setMade} close={close} /> : <TheKey text={made} close={close} />}
    </Modal>
  );
}

function Ask({ onMade, close }: { onMade: (key: string) => void; close: () => void }) {
  const workspace = useWorkspace();
  const client = useQueryClient();
  const channels = useQuery(channelsQuery(workspace));
  const [name, setName] = useState('');
  const [scopes, setScopes] = useState<KeyScope[]>(['read', 'send']);
  const [only, setOnly] = useState<string[]>([]);
  const [days, setDays] = useState('365');
  const [lacking, setLacking] = useState<{ name?: string; scopes?: string }>({});
  const make = useMutation({
    mutationFn: (key: NewKey) => createKey(workspace.api, key),
    onSuccess: ({ key }) => {
      void client.invalidateQueries({ queryKey: [workspace.slug, 'keys'] });
      onMade(key);
    },
  });
  const fault = (field: 'name' | 'scopes') =>
    lacking[field] ?? (make.error instanceof Problem ? make.error.of(field) : undefined);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    const lacks = {
      ...(name.trim() === '' ? { name: 'Name the program that will use it.' } : {}),
      ...(scopes.length === 0 ? { scopes: 'Choose at least one.' } : {}),
    };
    setLacking(lacks);
    if (Object.keys(lacks).length > 0 || make.isPending) return;
    const end = endOf(days, serverNow());
    make.mutate({
      name: name.trim(),
      scopes,
      ...(end === undefined ? {} : { expires_at: end }),
      ...(only.length === 0 ? {} : { channels: only }),
    });
  };
  return (
    <form onSubmit={submit} noValidate>
      <Stack gap="lg">
        <Refused error={make.error} fields={['name', 'scopes']} />
        <TextInput
          label="Name"
          placeholder="Booking system"
          value={name}
          onChange={event => setName(event.currentTarget.value)}
          error={fault('name')}
          data-autofocus
        />
        <Checkbox.Group
          label="It may"
          value={scopes}
          onChange={value => setScopes(value as KeyScope[])}
          error={fault('scopes')}
        >
          <Stack gap="sm" pt="sm">
            {scopeNames.map(scope => (
              <Checkbox
                key={scope}
                value={scope}
                label={keyScopes[scope].word}
                description={keyScopes[scope].means}
              />
            ))}
          </Stack>
        </Checkbox.Group>
        {channels.data !== undefined && channels.data.length > 0 && (
          <MultiSelect
            label="Only on these channels"
            placeholder={only.length === 0 ? 'All' : ''}
            data={channels.data.map(({ id, label }) => ({ value: id, label }))}
            value={only}
            onChange={setOnly}
          />
        )}
        <Select
          label="It works for"
          data={lifetimes}
          value={days}
          onChange={value => setDays(value ?? '')}
          allowDeselect={false}
        />
        <Group justify="flex-end">
          <Button variant="default" onClick={close}>
            Cancel
          </Button>
          <Button type="submit" loading={make.isPending}>
            Make key
          </Button>
        </Group>
      </Stack>
    </form>
  );
}

function TheKey({ text, close }: { text: string; close: () => void }) {
  return (
    <Stack gap="md">
      <HandOn
        label="API key"
        text={text}
        copy="Copy key"
        about="Copy it now: it is shown only this once, and whoever has it can do what it may. Programs send it as the header X-Api-Key."
      />
      <Group justify="flex-end">
        <Button variant="default" onClick={close}>
          Done
        </Button>
      </Group>
    </Stack>
  );
}
