import { Badge, Button, Group, Stack } from '@mantine/core';
import { useInfiniteQuery, useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { Moment } from '../../../kit/moment.tsx';
import { numberWords } from '../../../kit/reader.ts';
import { Row } from '../../../kit/rows.tsx';
import { toastDone, toastProblem } from '../../../kit/toast.tsx';
import { TypedDialog } from '../typed-dialog.tsx';
import { type AdminWorkspace, closeWorkspace, keepWorkspace, workspacesQuery } from './api.ts';
import { Found, SearchField, useSearch } from './found.tsx';

export function Workspaces() {
  const { typed, sought, type } = useSearch();
  const query = useInfiniteQuery(workspacesQuery(sought));
  return (
    <Stack gap="md">
      <Group>
        <SearchField label="Search workspaces" value={typed} set={type} />
      </Group>
      <Found label="Workspaces" query={query}>
        {workspace => <WorkspaceRow key={workspace.id} workspace={workspace} />}
      </Found>
    </Stack>
  );
}

function WorkspaceRow({ workspace }: { workspace: AdminWorkspace }) {
  const { slug, name, members, facts, created_at: since, deletion_due_at: due } = workspace;
  return (
    <Row
      title={name}
      meta={
        <>
          {slug} · {members === 1 ? 'one member' : `${members} members`} ·{' '}
          {facts === 1 ? 'one fact' : `${numberWords(facts)} facts`} · since <Moment at={since} />
          {due !== null && (
            <>
              {' '}
              · deleted for good <Moment at={due} />
            </>
          )}
        </>
      }
      status={
        <Group gap="xs" wrap="nowrap">
          {due !== null && <Badge color="red">Closed</Badge>}
          <Closing workspace={workspace} />
        </Group>
      }
    />
  );
}

function Closing({ workspace }: { workspace: AdminWorkspace }) {
  const { id, slug, name, deletion_due_at: due } = workspace;
  const client = useQueryClient();
  const [asking, setAsking] = useState(false);
  const settled = () => client.invalidateQueries({ queryKey: ['admin', 'workspaces'] });
  const keep = useMutation({
    mutationFn: () => keepWorkspace(id),
    onSuccess: () => toastDone(`${name} stays.`),
    onError: error => toastProblem(`${name} is still to be deleted`, error),
    onSettled: settled,
  });
  if (due !== null) {
    return (
      <Button size="sm" variant="default" loading={keep.isPending} onClick={() => keep.mutate()}>
        Keep
      </Button>
    );
  }
  return (
    <>
      <Button
        size="sm"
        variant="light"
        color="red"
        aria-label={`Delete ${name}`}
        onClick={() => setAsking(true)}
      >
        Delete
      </Button>
      {asking && (
        <TypedDialog
          title={`Delete ${name}?`}
          consequence="It closes now for everybody, and nothing is sent any more. In 14 days it is gone for good, unless it is kept."
          word={slug}
          verb="Delete"
          act={typed => closeWorkspace(id, typed)}
          done={`${name} is closed.`}
          settled={settled}
          close={() => setAsking(false)}
        />
      )}
    </>
  );
}
