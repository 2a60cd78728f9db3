import { ActionIcon, Chip, Group, Stack, Text, TextInput, Title } from '@mantine/core';
import { IconPlus, IconSearch, IconTrash } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { Empty } from '../../kit/empty.tsx';
import { ButtonLink } from '../../kit/links.tsx';
import { Moment } from '../../kit/moment.tsx';
import { Page } from '../../kit/page.tsx';
import { phoneWords } from '../../kit/phone.ts';
import { RowLink, Rows } from '../../kit/rows.tsx';
import { matches } from '../../kit/search.ts';
import { StatusBadge } from '../../kit/status-badge.tsx';
import { toastDone } from '../../kit/toast.tsx';
import { Loaded } from '../../kit/waiting.tsx';
import { useWorkspace } from '../../kit/workspace.tsx';
import { channelsQuery } from '../channels/api.ts';
import { titleOf } from '../messages/formatting.ts';
import { type Reminder, remindersQuery } from './api.ts';
import type { Draft } from './draft.ts';
import type { Drafts } from './drafts.ts';
import { namesTogether } from './sentence.ts';
import { useDrafts, useUnfinished } from './use-drafts.ts';
import { statusLooks } from './words.ts';

/** More than this is found by searching. */
const SHOWN = 100;

const filters = ['all', 'active', 'paused', 'ended'] as const;

export function ReminderList() {
  const workspace = useWorkspace();
  const { slug } = workspace;
  const query = useQuery(remindersQuery(workspace));
  const some = query.data !== undefined && query.data.length > 0;
  return (
    <Page
      title="Reminders"
      action={some && workspace.can('reminders.manage') ? <New slug={slug} /> : undefined}
    >
      <Stack gap="xl">
        <Unfinished />
        <Loaded query={query} what="reminders">
          {reminders => (reminders.length > 0 ? <Found reminders={reminders} /> : <None />)}
        </Loaded>
      </Stack>
    </Page>
  );
}

function Found({ reminders }: { reminders: Reminder[] }) {
  const { slug } = useWorkspace();
  const { status = 'all', q = '' } = useSearch({ from: '/w/$slug/reminders' });
  const navigate = useNavigate();
  const filter = (next: { status?: string; q?: string }) => {
    const search = { status, q, ...next };
    const chosen = filters.find(one => one === search.status);
    void navigate({
      to: '/w/$slug/reminders',
      params: { slug },
      search: {
        ...(chosen && chosen !== 'all' ? { status: chosen } : {}),
        ...(search.q === '' ? {} : { q: search.q }),
      },
      replace: true,
    });
  };
  const found = reminders.filter(
    reminder => (status === 'all' || reminder.status === status) && matches(wordsOf(reminder), q),
  );
  return (
    <Stack gap="md">
      <Group gap="md">
        <TextInput
          flex="1 1 var(--convoke-rail)"
          aria-label="Search reminders"
          placeholder="Search reminders"
          leftSection={<IconSearch size="1.1em" aria-hidden />}
          value={q}
          onChange={event => filter({ q: event.currentTarget.value })}
        />
        <Chip.Group value={status} onChange={value => filter({ status: String(value) })}>
          <Group gap="xs" role="group" aria-label="Status">
            <Chip value="all">All</Chip>
            {(['active', 'paused', 'ended'] as const).map(one => (
              <Chip key={one} value={one}>
                {statusLooks[one].word}
              </Chip>
            ))}
          </Group>
        </Chip.Group>
      </Group>
      {found.length === 0 ? (
        <Text c="dimmed">No reminder is like that. Search for something else, or show all.</Text>
      ) : (
        <Rows label="Reminders">
          {found.slice(0, SHOWN).map(reminder => (
            <ReminderRow key={reminder.id} reminder={reminder} slug={slug} />
          ))}
        </Rows>
      )}
      {found.length > SHOWN && <Text c="dimmed">{found.length - SHOWN} more. Search to find them.</Text>}
    </Stack>
  );
}

function ReminderRow({ reminder, slug }: { reminder: Reminder; slug: string }) {
  return (
    <RowLink
      to="/w/$slug/reminders/$id"
      params={{ slug, id: reminder.id }}
      title={titleOf(reminder.content.text.body)}
      meta={
        <>
          {reminder.summary} to {namesTogether(namesOf(reminder))}
          {reminder.next !== null && (
            <>
              {' · next '}
              <Moment at={reminder.next.at} />
            </>
          )}
        </>
      }
      status={<StatusBadge look={statusLooks[reminder.status]} testId="reminder-status" />}
    />
  );
}

/** The people and groups it goes to, as they are called. */
function namesOf(reminder: Reminder): string[] {
  return reminder.targets.map(
    target => target.name ?? (target.phone === null ? 'a group' : phoneWords(target.phone)),
  );
}

function None() {
  const workspace = useWorkspace();
  const { slug } = workspace;
  const channels = useQuery(channelsQuery(workspace));
  if (channels.data?.length === 0) {
    return (
      <Empty
        shape="linking"
        title="Pair a number first"
        action={
          <ButtonLink to="/w/$slug/channels/new" params={{ slug }}>
            New channel
          </ButtonLink>
        }
      >
        Reminders go out from one of your WhatsApp numbers. Once it is paired, its groups are yours to remind.
      </Empty>
    );
  }
  return (
    <Empty
      shape="calling"
      title="Call people together"
      action={workspace.can('reminders.manage') && <New slug={slug} />}
    >
      Write a message, choose when it goes out, once or again and again, and to which groups. Convoke does the
      rest.
    </Empty>
  );
}

/** Drafts that this device keeps. */
function Unfinished() {
  const { slug } = useWorkspace();
  const drafts = useDrafts();
  const unfinished = useUnfinished(drafts);
  if (unfinished.length === 0) return null;
  return (
    <Stack gap="sm" component="section" aria-label="Drafts">
      <Title order={2}>Drafts on this device</Title>
      <Rows label="Drafts">
        {unfinished.map(draft => (
          <RowLink
            key={draft.id}
            to="/w/$slug/reminders/new/$draftId"
            params={{ slug, draftId: draft.id }}
            title={draft.body.trim() === '' ? 'Draft without a message' : titleOf(draft.body)}
            meta={
              <>
                Last changed <Moment at={new Date(draft.changedAt).toISOString()} />
              </>
            }
            aside={<Discard drafts={drafts} draft={draft} />}
          />
        ))}
      </Rows>
    </Stack>
  );
}

function Discard({ drafts, draft }: { drafts: Drafts; draft: Draft }) {
  const discard = () => {
    drafts.discard(draft.id);
    toastDone('Draft discarded.', () => drafts.write(draft));
  };
  return (
    <ActionIcon
      variant="subtle"
      color="gray"
      size="xl"
      aria-label={`Discard: ${titleOf(draft.body)}`}
      onClick={discard}
    >
      <IconTrash size="1.2em" aria-hidden />
    </ActionIcon>
  );
}

function New({ slug }: { slug: string }) {
  return (
    <ButtonLink
      to="/w/$slug/reminders/new"
      params={{ slug }}
      leftSection={<IconPlus size="1.2em" aria-hidden />}
    >
      New reminder
    </ButtonLink>
  );
}

function wordsOf(reminder: Reminder): string {
  return [reminder.content.text.body, reminder.summary, reminder.channel_label, ...namesOf(reminder)].join(
    ' ',
  );
}
