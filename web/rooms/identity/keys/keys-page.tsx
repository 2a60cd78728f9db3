import { Button, Code } from '@mantine/core';
import { IconKey } from '@tabler/icons-react';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { confirmThat } from '../../../kit/confirm.tsx';
import { Empty } from '../../../kit/empty.tsx';
import { TextLink } from '../../../kit/links.tsx';
import { Moment } from '../../../kit/moment.tsx';
import { Page } from '../../../kit/page.tsx';
import { Row, Rows } from '../../../kit/rows.tsx';
import { toastDone, toastProblem } from '../../../kit/toast.tsx';
import { Loaded } from '../../../kit/waiting.tsx';
import { useWorkspace } from '../../../kit/workspace.tsx';
import { channelsQuery } from '../../channels/api.ts';
import { type ApiKey, keysQuery, revokeKey } from './api.ts';
import { NewKeyDialog } from './new-key-dialog.tsx';
import { keyScopes } from './words.ts';

/** With what programs come in. */
export function KeysPage() {
  const workspace = useWorkspace();
  const query = useQuery(keysQuery(workspace));
  const [making, setMaking] = useState(false);
  const make = (
    <Button leftSection={<IconKey size="1.2em" aria-hidden />} onClick={() => setMaking(true)}>
      New key
    </Button>
  );
  const some = query.data !== undefined && query.data.length > 0;
  return (
    <Page
      title="API keys"
      width="reading"
      back={
        <TextLink to="/w/$slug/settings" params={{ slug: workspace.slug }}>
          Settings
        </TextLink>
      }
      action={some && make}
    >
      <Loaded query={query} what="API keys">
        {keys =>
          keys.length === 0 ? (
            <Empty shape="quiet" title="No program comes in yet" action={make}>
              With an API key a program of yours sends, reads or manages in this workspace, and nothing else.
            </Empty>
          ) : (
            <Rows label="API keys">
              {keys.map(key => (
                <KeyRow key={key.id} apiKey={key} />
              ))}
            </Rows>
          )
        }
      </Loaded>
      {making && <NewKeyDialog close={() => setMaking(false)} />}
    </Page>
  );
}

function KeyRow({ apiKey }: { apiKey: ApiKey }) {
  const workspace = useWorkspace();
  const client = useQueryClient();
  const revoke = useMutation({
    mutationFn: () => revokeKey(workspace.api, apiKey.id),
    onSuccess: () => toastDone(`${apiKey.name} opens nothing any more.`),
    onError: error => toastProblem(`${apiKey.name} still works`, error),
    onSettled: () => client.invalidateQueries({ queryKey: [workspace.slug, 'keys'] }),
  });
  return (
    <Row
      title={apiKey.name}
      meta={
        <>
          <Code>{apiKey.prefix}…</Code> {apiKey.scopes.map(scope => keyScopes[scope].word).join(', ')}
          {apiKey.channels !== null && <OnChannels ids={apiKey.channels} />} ·{' '}
          {apiKey.used_at === null ? (
            'never used'
          ) : (
            <>
              used <Moment at={apiKey.used_at} />
            </>
          )}
          {apiKey.expires_at !== null && (
            <>
              {' '}
              · ends <Moment at={apiKey.expires_at} />
            </>
          )}
        </>
      }
      status={
        <Button
          variant="light"
          color="red"
          size="sm"
          loading={revoke.isPending}
          aria-label={`Revoke ${apiKey.name}`}
          onClick={() =>
            confirmThat({
              title: `Revoke ${apiKey.name}?`,
              consequence: 'Programs that use it are refused from now on. It cannot be brought back.',
              verb: 'Revoke',
              act: () => revoke.mutate(),
            })
          }
        >
          Revoke
        </Button>
      }
    />
  );
}

function OnChannels({ ids }: { ids: string[] }) {
  const channels = useQuery(channelsQuery(useWorkspace()));
  const labels = ids.map(id => channels.data?.find(channel => channel.id === id)?.label ?? 'a channel');
  return <> · only {labels.join(', ')}</>;
}
