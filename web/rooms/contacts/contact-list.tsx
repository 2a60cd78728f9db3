import { Button, Stack, Text, TextInput, Title } from '@mantine/core';
import { IconMessageCircleOff, IconSearch } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { Empty } from '../../kit/empty.tsx';
import { ButtonLink } from '../../kit/links.tsx';
import { Moment } from '../../kit/moment.tsx';
import { Page } from '../../kit/page.tsx';
import { phoneWords } from '../../kit/phone.ts';
import { Row, Rows } from '../../kit/rows.tsx';
import { matches } from '../../kit/search.ts';
import { Loaded } from '../../kit/waiting.tsx';
import { useWorkspace } from '../../kit/workspace.tsx';
import { channelsQuery } from '../channels/api.ts';
import { type OptOut, optOutsQuery } from './api.ts';
import { LiftOptOut } from './lift-opt-out.tsx';
import { personName } from './words.ts';

const WORTH_SEARCHING = 6;
/** More than this is found by searching. */
const SHOWN = 100;

export function ContactList() {
  const workspace = useWorkspace();
  const query = useQuery(optOutsQuery(workspace));
  const may = workspace.can('contacts.opt_out');
  const some = query.data !== undefined && query.data.length > 0;
  return (
    <Page title="Contacts" action={some && may ? <New slug={workspace.slug} /> : undefined}>
      <Loaded query={query} what="opt-outs">
        {optOuts =>
          optOuts.length > 0 ? (
            <OptOuts optOuts={optOuts} />
          ) : (
            <Empty shape="quiet" title="Nobody has opted out" action={may && <New slug={workspace.slug} />}>
              Whoever writes STOP to one of your numbers gets one confirmation and stands here from then on.
              Convoke sends them nothing more.
            </Empty>
          )
        }
      </Loaded>
    </Page>
  );
}

function OptOuts({ optOuts }: { optOuts: OptOut[] }) {
  const [search, setSearch] = useState('');
  const [lifting, setLifting] = useState<OptOut>();
  const found = optOuts.filter(optOut => matches(wordsOf(optOut), search));
  return (
    <Stack gap="md" component="section" aria-label="Opted out">
      <Stack gap={0}>
        <Title order={2}>Opted out</Title>
        <Text c="dimmed">
          Convoke sends these people nothing, from any channel. Messages to groups that they are in are not
          affected.
        </Text>
      </Stack>
      {optOuts.length >= WORTH_SEARCHING && (
        <TextInput
          aria-label="Search people"
          placeholder="Search people"
          leftSection={<IconSearch size="1.1em" aria-hidden />}
          value={search}
          onChange={event => setSearch(event.currentTarget.value)}
        />
      )}
      {found.length === 0 ? (
        <Text c="dimmed">Nobody is like that. Search for something else.</Text>
      ) : (
        <Rows label="People who have opted out">
          {found.slice(0, SHOWN).map(optOut => (
            <OptOutRow key={optOut.id} optOut={optOut} lift={() => setLifting(optOut)} />
          ))}
        </Rows>
      )}
      {found.length > SHOWN && <Text c="dimmed">{found.length - SHOWN} more. Search to find them.</Text>}
      {lifting && <LiftOptOut optOut={lifting} close={() => setLifting(undefined)} />}
    </Stack>
  );
}

function OptOutRow({ optOut, lift }: { optOut: OptOut; lift: () => void }) {
  const { can } = useWorkspace();
  const who = personName(optOut);
  return (
    <Row
      title={who}
      meta={
        <>
          {optOut.name !== null && optOut.phone !== null && <>{phoneWords(optOut.phone)} · </>}
          <How optOut={optOut} /> <Moment at={optOut.since} />
          {optOut.reason !== null && (
            <Text span inherit display="block" c="var(--mantine-color-text)">
              {optOut.reason}
            </Text>
          )}
        </>
      }
      status={
        can('contacts.manage') && (
          <Button variant="default" size="sm" aria-label={`Lift the opt-out of ${who}`} onClick={lift}>
            Lift
          </Button>
        )
      }
    />
  );
}

function How({ optOut }: { optOut: OptOut }) {
  const workspace = useWorkspace();
  const channels = useQuery(channelsQuery(workspace));
  if (optOut.how === 'by_hand') {
    return optOut.created_by === workspace.me.user.id ? 'Entered by you' : 'Entered by hand';
  }
  const label = channels.data?.find(channel => channel.id === optOut.channel_id)?.label;
  return `Wrote “${optOut.word}”${label === undefined ? '' : ` to ${label}`}`;
}

function New({ slug }: { slug: string }) {
  return (
    <ButtonLink
      to="/w/$slug/contacts/opt-out"
      params={{ slug }}
      leftSection={<IconMessageCircleOff size="1.2em" aria-hidden />}
    >
      Opt a number out
    </ButtonLink>
  );
}

function wordsOf(optOut: OptOut): string {
  const { phone, reason, word } = optOut;
  return [personName(optOut), phone, phone && phoneWords(phone), reason, word].join(' ');
}
