import { Alert, Button, Group, Radio, Stack, Text, TextInput, Title } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { type ReactNode, useState } from 'react';
import { confirmThat } from '../../../kit/confirm.tsx';
import { Moment } from '../../../kit/moment.tsx';
import { toastDone, toastProblem } from '../../../kit/toast.tsx';
import { Loaded } from '../../../kit/waiting.tsx';
import { meQuery } from '../api.ts';
import { instanceQuery } from '../people/api.ts';
import {
  beginMaintenance,
  changeSettings,
  endEverything,
  endMaintenance,
  type Settings,
  settingsQuery,
} from './api.ts';

const MODES = [
  { value: 'open', label: 'Everybody', description: 'Whoever has an e-mail address' },
  { value: 'invitation', label: 'Who is invited', description: 'By the link of a member' },
  { value: 'closed', label: 'Nobody', description: 'Users are added here or on the command line' },
];

export function InstallationSettings() {
  const query = useQuery(settingsQuery);
  return (
    <Loaded query={query} what="settings">
      {settings => (
        <Stack gap="xl" maw="var(--convoke-reading)">
          <SignUpMode settings={settings} />
          <Mails />
          <TermsOfUse settings={settings} />
          <Maintenance settings={settings} />
          <KillSwitch />
        </Stack>
      )}
    </Loaded>
  );
}

/** One change of the settings; what the server says afterwards is shown. */
function useChange<T>(work: (given: T) => Promise<Settings>) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: work,
    onSuccess: settings => {
      client.setQueryData(settingsQuery.queryKey, settings);
      toastDone('Saved.');
    },
    onError: error => {
      toastProblem('Nothing was changed', error);
      return client.invalidateQueries({ queryKey: settingsQuery.queryKey });
    },
  });
}

function SignUpMode({ settings }: { settings: Settings }) {
  const change = useChange((mode: Settings['sign_up']) => changeSettings({ sign_up: mode }));
  return (
    <Section title="Who may make an account">
      <Radio.Group
        aria-label="Who may make an account"
        value={change.isPending ? change.variables : settings.sign_up}
        onChange={mode => change.mutate(mode as Settings['sign_up'])}
      >
        <Stack gap="sm">
          {MODES.map(mode => (
            <Radio key={mode.value} {...mode} />
          ))}
        </Stack>
      </Radio.Group>
    </Section>
  );
}

function Mails() {
  const leave = useQuery(instanceQuery).data?.mail;
  const sandbox = useQuery(meQuery).data?.instance.sandbox;
  if (leave === undefined || (leave && !sandbox)) return null;
  return (
    <Section title="Mail">
      <Alert color={leave ? 'blue' : 'orange'}>
        {leave
          ? 'This is a sandbox. If it is the demo, its mails reach nobody: they are shown at the address that the start has printed beside “mails”.'
          : 'No mail leaves this Convoke: nobody can sign up, be invited by mail or choose another password alone. Name a mail server in CONVOKE_SMTP_URL and start again. Until then add people under Users, and hand them their links.'}
      </Alert>
    </Section>
  );
}

function TermsOfUse({ settings }: { settings: Settings }) {
  const [version, setVersion] = useState(settings.terms?.version ?? '');
  const [url, setUrl] = useState(settings.terms?.url ?? '');
  const change = useChange(changeSettings);
  const empty = version.trim() === '' && url.trim() === '';
  return (
    <Section
      title="Terms"
      about="People agree to them when they make an account, and again when the version moves."
    >
      <TextInput
        label="Version"
        placeholder="2026-11"
        value={version}
        onChange={event => setVersion(event.currentTarget.value)}
      />
      <TextInput
        label="Where they can be read"
        placeholder="https://"
        type="url"
        value={url}
        onChange={event => setUrl(event.currentTarget.value)}
      />
      <Group>
        <Button
          variant="default"
          loading={change.isPending}
          disabled={empty && settings.terms === null}
          onClick={() =>
            change.mutate({ terms: empty ? null : { version: version.trim(), url: url.trim() } })
          }
        >
          {empty ? 'Have no terms' : 'Save terms'}
        </Button>
      </Group>
    </Section>
  );
}

function Maintenance({ settings: { maintenance } }: { settings: Settings }) {
  const [note, setNote] = useState('');
  const begin = useChange(() => beginMaintenance(note.trim()));
  const end = useChange(() => endMaintenance());
  return (
    <Section
      title="Maintenance"
      about="While it lasts everybody can look and nobody can change anything. Reminders that are planned go out."
    >
      {maintenance === null ? (
        <>
          <TextInput
            label="What people read"
            placeholder="We move to another machine until 14:00."
            value={note}
            onChange={event => setNote(event.currentTarget.value)}
          />
          <Group>
            <Button variant="default" loading={begin.isPending} onClick={() => begin.mutate(undefined)}>
              Begin
            </Button>
          </Group>
        </>
      ) : (
        <Group>
          <Text>
            Since <Moment at={maintenance.since} />
            {maintenance.note !== '' && `: “${maintenance.note}”`}
          </Text>
          <Button variant="default" loading={end.isPending} onClick={() => end.mutate(undefined)}>
            End
          </Button>
        </Group>
      )}
    </Section>
  );
}

function KillSwitch() {
  const end = useMutation({
    mutationFn: endEverything,
    onSuccess: () => window.location.assign('/sign-in'),
    onError: error => toastProblem('Everybody is still signed in', error),
  });
  return (
    <Section
      title="Kill switch"
      about="For the day on which somebody has stolen something: every login and every API key of this Convoke ends at once, yours too."
    >
      <Group>
        <Button
          color="red"
          variant="light"
          loading={end.isPending}
          onClick={() =>
            confirmThat({
              title: 'End every login and API key?',
              consequence:
                'Everybody has to sign in again, and programs need new keys. Reminders go out as planned.',
              verb: 'End all',
              act: () => end.mutate(),
            })
          }
        >
          End every login and API key
        </Button>
      </Group>
    </Section>
  );
}

function Section({ title, about, children }: { title: string; about?: string; children: ReactNode }) {
  return (
    <Stack gap="md" component="section" aria-label={title}>
      <Stack gap={0}>
        <Title order={2}>{title}</Title>
        {about !== undefined && <Text c="dimmed">{about}</Text>}
      </Stack>
      {children}
    </Stack>
  );
}
