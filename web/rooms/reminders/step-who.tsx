import { Button, Checkbox, Group, Paper, Pill, Stack, Text, TextInput, Title } from '@mantine/core';
import { IconPlus, IconSearch } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { phoneWords, readPhone } from '../../kit/phone.ts';
import { afterPress } from '../../kit/press.ts';
import { matches } from '../../kit/search.ts';
import { Loaded } from '../../kit/waiting.tsx';
import { useWorkspace } from '../../kit/workspace.tsx';
import { groupsQuery, type Group as WhatsAppGroup } from '../channels/api.ts';
import { type Draft, type DraftTarget, targetsOn } from './draft.ts';

/** More than this is found by searching. */
const SHOWN = 40;

type Props = {
  draft: Draft;
  channelId: string;
  change: (targets: DraftTarget[]) => void;
  lack: string | undefined;
};

export function StepWho({ draft, channelId, change, lack }: Props) {
  const remove = (target: DraftTarget) => change(draft.targets.filter(one => one !== target));
  const add = (targets: DraftTarget[]) => change([...draft.targets, ...targets]);
  const chosen = targetsOn(draft, channelId);
  return (
    <Stack gap="xl">
      {lack !== undefined && (
        <Text c="red" role="alert">
          {lack}
        </Text>
      )}
      {chosen.length > 0 && (
        <Group gap="xs" component="section" aria-label="Chosen recipients">
          {chosen.map(target => (
            <Pill
              key={target.kind === 'group' ? target.group_id : target.phone}
              size="lg"
              withRemoveButton
              onRemove={() => remove(target)}
              removeButtonProps={{
                'aria-label': `Remove ${nameOf(target)}`,
                'aria-hidden': false,
                tabIndex: 0,
              }}
            >
              {nameOf(target)}
            </Pill>
          ))}
        </Group>
      )}
      <GroupChoice draft={draft} channelId={channelId} add={add} remove={remove} />
      <PhoneChoice chosen={chosen} add={add} />
    </Stack>
  );
}

/** What the recipient is called on screen. */
export function nameOf(target: DraftTarget): string {
  return target.kind === 'group' ? target.name : phoneWords(target.phone);
}

type Choosing = { add: (targets: DraftTarget[]) => void; remove: (target: DraftTarget) => void };

function GroupChoice({ draft, channelId, add, remove }: Choosing & { draft: Draft; channelId: string }) {
  const query = useQuery(groupsQuery(useWorkspace(), channelId));
  const [search, setSearch] = useState('');
  const toggle = (group: WhatsAppGroup) => {
    const chosen = draft.targets.find(target => target.kind === 'group' && target.group_id === group.id);
    if (chosen) remove(chosen);
    else add([{ kind: 'group', group_id: group.id, channel_id: channelId, name: group.subject }]);
  };
  return (
    <Stack gap="sm" component="section" aria-label="Groups">
      <Title order={3}>Groups</Title>
      <Loaded query={query} what="groups" rows={2}>
        {groups => {
          const found = groups.filter(group => matches(group.subject, search));
          return (
            <Stack gap="sm">
              {groups.length === 0 && <Text c="dimmed">This number is in no group yet.</Text>}
              {groups.length > 5 && (
                <TextInput
                  aria-label="Search groups"
                  placeholder="Search groups"
                  leftSection={<IconSearch size="1.1em" aria-hidden />}
                  value={search}
                  onChange={event => setSearch(event.currentTarget.value)}
                />
              )}
              {found.slice(0, SHOWN).map(group => (
                <Paper key={group.id} p="sm" radius="md">
                  <Checkbox
                    label={group.subject}
                    description={`${group.size} ${group.size === 1 ? 'person' : 'people'}`}
                    checked={draft.targets.some(
                      target => target.kind === 'group' && target.group_id === group.id,
                    )}
                    onChange={() => toggle(group)}
                  />
                </Paper>
              ))}
              {found.length > SHOWN && (
                <Text c="dimmed">{found.length - SHOWN} more. Search to find them.</Text>
              )}
              {groups.length > 0 && found.length === 0 && (
                <Text c="dimmed">No group is called like that.</Text>
              )}
            </Stack>
          );
        }}
      </Loaded>
    </Stack>
  );
}

function PhoneChoice({ chosen, add }: { chosen: DraftTarget[]; add: (targets: DraftTarget[]) => void }) {
  const [text, setText] = useState('');
  const [fault, setFault] = useState<string>();

  // Several may be pasted at once, from a list or a table.
  const take = () => {
    const parts = text.split(/[,;\n\t]+/).filter(part => part.trim() !== '');
    const readings = (parts.length > 0 ? parts : ['']).map(part => ({ part, reading: readPhone(part) }));
    const known = new Set(chosen.map(target => (target.kind === 'phone' ? target.phone : '')));
    const phones = readings.flatMap(({ reading }) =>
      reading.ok && !known.has(reading.phone) ? [reading.phone] : [],
    );
    add([...new Set(phones)].map(phone => ({ kind: 'phone' as const, phone })));
    const wrong = readings.filter(({ reading }) => !reading.ok);
    const [first] = wrong;
    setText(wrong.map(({ part }) => part.trim()).join(', '));
    setFault(first && !first.reading.ok ? first.reading.remedy : undefined);
  };

  return (
    <Stack gap="sm" component="section" aria-label="People">
      <Title order={3}>People</Title>
      <Group gap="sm" align="flex-start" wrap="nowrap">
        <TextInput
          flex={1}
          label="Phone number"
          description="In international form; several with commas between them."
          placeholder="+49 170 1234567"
          inputMode="tel"
          autoComplete="off"
          value={text}
          error={fault}
          onChange={event => {
            setText(event.currentTarget.value);
            setFault(undefined);
          }}
          onBlur={() => text.trim() !== '' && afterPress(take)}
          onKeyDown={event => {
            if (event.key !== 'Enter') return;
            event.preventDefault();
            take();
          }}
          inputContainer={input => (
            <Group gap="sm" wrap="nowrap">
              <div style={{ flex: 1 }}>{input}</div>
              <Button
                variant="default"
                leftSection={<IconPlus size="1.1em" aria-hidden />}
                // Otherwise leaving the field would take the number before the click does.
                onMouseDown={event => event.preventDefault()}
                onClick={take}
              >
                Add
              </Button>
            </Group>
          )}
        />
      </Group>
    </Stack>
  );
}
