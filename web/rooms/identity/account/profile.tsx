import { Button, Group, Paper, Select, Stack, TextInput } from '@mantine/core';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { type FormEvent, useMemo, useState } from 'react';
import { Problem } from '../../../kit/api.ts';
import { browserZone, regionOf } from '../../../kit/reader.ts';
import { toastDone } from '../../../kit/toast.tsx';
import { meQuery, type Person } from '../api.ts';
import { changeProfile, type ProfileChange } from '../people/api.ts';
import { Refused } from '../refused.tsx';
import { exampleOf, regions } from './regions.ts';

const FIELDS = ['name', 'username', 'locale', 'time_zone'] as const;
type Fields = Record<(typeof FIELDS)[number], string>;

/** Who one is to others, and how and in which zone one reads dates. */
export function Profile({ user }: { user: Person }) {
  const client = useQueryClient();
  const before: Fields = {
    name: user.name,
    username: user.username ?? '',
    locale: user.locale === 'en' ? '' : regionOf(user.locale),
    time_zone: user.time_zone ?? '',
  };
  const [fields, setFields] = useState(before);
  const places = useMemo(() => regions(before.locale), [before.locale]);
  const zones = useMemo(() => Intl.supportedValuesOf('timeZone'), []);
  const save = useMutation({
    mutationFn: (change: ProfileChange) => changeProfile(change),
    onSuccess: me => {
      client.setQueryData(meQuery.queryKey, me);
      toastDone('Saved.');
    },
  });
  const changed = FIELDS.filter(field => fields[field].trim() !== before[field]);
  const fault = (field: keyof Fields) => (save.error instanceof Problem ? save.error.of(field) : undefined);
  const set = (field: keyof Fields, value: string) => {
    setFields({ ...fields, [field]: value });
    save.reset();
  };
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (changed.length === 0 || save.isPending) return;
    const told = (field: keyof Fields) => fields[field].trim();
    save.mutate({
      ...(changed.includes('name') ? { name: told('name') } : {}),
      ...(changed.includes('username') ? { username: told('username') } : {}),
      ...(changed.includes('locale') ? { locale: told('locale') || 'en' } : {}),
      ...(changed.includes('time_zone') ? { time_zone: told('time_zone') || null } : {}),
    });
  };
  return (
    <Paper p={{ base: 'md', sm: 'xl' }} component="form" onSubmit={submit} noValidate>
      <Stack gap="lg">
        <Refused error={save.error} fields={[...FIELDS]} />
        <TextInput
          label="Your name"
          description="As others see it."
          autoComplete="name"
          value={fields.name}
          onChange={event => set('name', event.currentTarget.value)}
          error={fault('name')}
        />
        <TextInput
          label="Username"
          autoComplete="username"
          autoCapitalize="none"
          autoCorrect="off"
          spellCheck={false}
          value={fields.username}
          onChange={event => set('username', event.currentTarget.value)}
          error={fault('username')}
        />
        <Select
          label="Language and region"
          description={`Of dates and numbers${fields.locale === '' ? '' : `: ${exampleOf(fields.locale)}`}. The texts of Convoke are in English, whichever you choose.`}
          placeholder="As the browser says"
          data={places}
          searchable
          clearable
          clearButtonProps={{ 'aria-label': 'Use what the browser says' }}
          value={fields.locale === '' ? null : fields.locale}
          onChange={locale => set('locale', locale ?? '')}
          error={fault('locale')}
        />
        <Select
          label="Time zone"
          description="Of dates and times that you see, and of plans that you make. Without one it is that of the browser."
          placeholder={browserZone}
          data={zones}
          searchable
          clearable
          clearButtonProps={{ 'aria-label': 'Use the zone of the browser' }}
          limit={50}
          value={fields.time_zone === '' ? null : fields.time_zone}
          onChange={zone => set('time_zone', zone ?? '')}
          error={fault('time_zone')}
        />
        <Group justify="flex-end">
          <Button type="submit" loading={save.isPending} disabled={changed.length === 0}>
            Save
          </Button>
        </Group>
      </Stack>
    </Paper>
  );
}
