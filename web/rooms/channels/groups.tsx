import { Button, Group as Line, Stack, Text, TextInput, Title } from '@mantine/core';
import { IconRefresh, IconSearch } from '@tabler/icons-react';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { Empty } from '../../kit/empty.tsx';
import { Moment } from '../../kit/moment.tsx';
import { Row, Rows } from '../../kit/rows.tsx';
import { matches } from '../../kit/search.ts';
import { toastProblem } from '../../kit/toast.tsx';
import { Loaded } from '../../kit/waiting.tsx';
import { useWorkspace } from '../../kit/workspace.tsx';
import { type Channel, groupsQuery, refreshGroups } from './api.ts';

const WORTH_SEARCHING = 6;
/** More than this is found by searching. */
const SHOWN = 100;

export function Groups({ channel }: { channel: Channel }) {
  const workspace = useWorkspace();
  const client = useQueryClient();
  const query = useQuery(groupsQuery(workspace, channel.id));
  const [search, setSearch] = useState('');

  const refresh = useMutation({
    mutationFn: () => refreshGroups(workspace.api, channel.id),
    onSuccess: () => client.invalidateQueries({ queryKey: [workspace.slug, 'groups'] }),
    onError: problem => toastProblem('The groups were not refreshed', problem),
  });

  return (
    <Stack gap="md" component="section" aria-label="Groups">
      <Line justify="space-between">
        <Title order={2}>Groups</Title>
        <Button
          variant="default"
          size="sm"
          leftSection={<IconRefresh size="1.1em" aria-hidden />}
          loading={refresh.isPending}
          disabled={channel.status !== 'connected'}
          onClick={() => refresh.mutate()}
        >
          Refresh groups
        </Button>
      </Line>
      <Loaded query={query} what="groups">
        {groups => {
          if (groups.length === 0) {
            return (
              <Empty shape="quiet" title="No groups yet">
                {channel.status === 'connected'
                  ? 'Add this number to a WhatsApp group on the phone; it appears here by itself.'
                  : 'The groups of the number appear here once it is connected.'}
              </Empty>
            );
          }
          const found = groups.filter(group => matches(group.subject, search));
          return (
            <Stack gap="sm">
              {groups.length >= WORTH_SEARCHING && (
                <TextInput
                  aria-label="Search groups"
                  placeholder="Search groups"
                  leftSection={<IconSearch size="1.1em" aria-hidden />}
                  value={search}
                  onChange={event => setSearch(event.currentTarget.value)}
                />
              )}
              {found.length === 0 ? (
                <Text c="dimmed">No group is called like that.</Text>
              ) : (
                <Rows label="Groups of this channel">
                  {found.slice(0, SHOWN).map(group => (
                    <Row
                      key={group.id}
                      title={group.subject}
                      meta={
                        <>
                          {group.size} {group.size === 1 ? 'person' : 'people'} · seen{' '}
                          <Moment at={group.synced_at} />
                        </>
                      }
                    />
                  ))}
                </Rows>
              )}
              {found.length > SHOWN && (
                <Text c="dimmed">{found.length - SHOWN} more. Search to find them.</Text>
              )}
            </Stack>
          );
        }}
      </Loaded>
    </Stack>
  );
}
