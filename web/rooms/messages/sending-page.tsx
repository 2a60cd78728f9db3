import { Paper, Radio, Stack, Switch, Text, Title } from '@mantine/core';
import { TextLink } from '../../kit/links.tsx';
import { Page } from '../../kit/page.tsx';
import { Loaded } from '../../kit/waiting.tsx';
import { useWorkspace } from '../../kit/workspace.tsx';
import { ParkWorkspace } from '../channels/parking/park-workspace.tsx';
import type { OnUnknown, PolicyChange, SendingPolicy, Source } from './sending-policy.ts';
import { useSendingPolicy } from './use-sending-policy.ts';

const sources: [source: Source, title: string][] = [
  ['reminder', 'Messages of reminders'],
  ['api', 'Messages that other programs send through the API'],
];

const choices: [value: OnUnknown, label: string, meaning: string][] = [
  ['ask', 'Ask a person', 'They wait under “Needs you” until somebody decides.'],
  [
    'send_again',
    'Send again',
    'After five minutes without a sign, under the same id. What has gone out three times in vain waits for a person.',
  ],
  ['give_up', 'Give up', 'After five minutes without a sign. If one did not arrive, nobody gets it.'],
];

/** What happens with messages that got no answer. */
export function SendingPage() {
  const { slug } = useWorkspace();
  const { query, change, saving, saved } = useSendingPolicy();
  return (
    <Page
      title="Sending"
      width="reading"
      back={
        <TextLink to="/w/$slug/settings" params={{ slug }}>
          Settings
        </TextLink>
      }
      beside={
        <Text size="sm" c="dimmed" role="status">
          {saving ? 'Saving…' : saved ? 'Saved' : ''}
        </Text>
      }
    >
      <Stack gap="lg">
        <Loaded query={query} what="the rules">
          {policy => <Rules policy={policy} change={change} />}
        </Loaded>
        <Parking />
      </Stack>
    </Page>
  );
}

function Rules({ policy, change }: { policy: SendingPolicy; change: (part: PolicyChange) => void }) {
  const may = useWorkspace().can('channels.manage');
  return (
    <Stack gap="lg">
      {!may && <Text c="dimmed">Only people who manage the channels may change this.</Text>}
      <Paper p={{ base: 'md', sm: 'xl' }} component="section" aria-label="When an answer gets lost">
        <Stack gap="md">
          <Stack gap="var(--convoke-near)">
            <Title order={2}>When an answer gets lost</Title>
            <Text>
              A connection can break just after a message has left and before WhatsApp says that it took it.
              Then nobody knows whether it arrived.
            </Text>
          </Stack>
          <Switch
            label="Send it again by itself"
            description="Once the number is connected again, Convoke looks for a sign of the message. If there is none, the same message goes out again under the same id, within ten minutes of the first try. Phones show one message per id, as far as is known; WhatsApp does not promise it. Switched off, such messages are unclear at once."
            size="md"
            disabled={!may}
            checked={policy.resend}
            onChange={event => change({ resend: event.currentTarget.checked })}
          />
        </Stack>
      </Paper>
      <Paper p={{ base: 'md', sm: 'xl' }} component="section" aria-label="When it stays unclear">
        <Stack gap="lg">
          <Stack gap="var(--convoke-near)">
            <Title order={2}>When it stays unclear</Title>
            <Text>What shall become of messages that may or may not have arrived?</Text>
          </Stack>
          {sources.map(([source, title]) => (
            <Radio.Group
              key={source}
              label={title}
              value={policy.unknown[source]}
              onChange={value => change({ unknown: { [source]: value } })}
            >
              <Stack gap="sm" mt="sm">
                {choices.map(([value, label, meaning]) => (
                  <Radio
                    key={value}
                    size="md"
                    value={value}
                    label={label}
                    description={meaning}
                    disabled={!may}
                  />
                ))}
              </Stack>
            </Radio.Group>
          ))}
          <Text size="sm" c="dimmed">
            This holds for messages that are sent from now on.
          </Text>
        </Stack>
      </Paper>
    </Stack>
  );
}

function Parking() {
  const may = useWorkspace().can('channels.manage');
  return (
    <Paper p={{ base: 'md', sm: 'xl' }} component="section" aria-label="Parking">
      <Stack gap="md" align="flex-start">
        <Stack gap="var(--convoke-near)">
          <Title order={2}>Parking</Title>
          <Text>
            A parked workspace takes messages and keeps them, and sends none. Nothing is lost or missed, and
            whoever arms it again chooses what becomes of messages that are late by then.
            {!may && ' Only people who manage the channels may park it.'}
          </Text>
        </Stack>
        <ParkWorkspace />
      </Stack>
    </Paper>
  );
}
