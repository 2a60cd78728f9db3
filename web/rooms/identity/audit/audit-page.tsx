import { Select, Stack } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { TextLink } from '../../../kit/links.tsx';
import { Page } from '../../../kit/page.tsx';
import { useWorkspace } from '../../../kit/workspace.tsx';
import { membersQuery } from '../workspaces/api.ts';
import { memberName } from '../workspaces/words.ts';
import { type AuditFilter, auditQuery, exportAddress } from './api.ts';
import { CsvButton, FactFilters, Facts } from './facts.tsx';
import { workspaceKinds } from './words.ts';

/** Who did what, when and from where. Nothing here can be changed. */
export function AuditPage() {
  const workspace = useWorkspace();
  const filter = useSearch({ from: '/w/$slug/settings/audit' });
  return (
    <Page
      title="Audit"
      back={
        <TextLink to="/w/$slug/settings" params={{ slug: workspace.slug }}>
          Settings
        </TextLink>
      }
      others={<CsvButton href={exportAddress('/v1/activity', filter, workspace.slug)} />}
    >
      <Stack gap="md">
        <Filters filter={filter} />
        <Facts query={auditQuery(workspace, filter)} />
      </Stack>
    </Page>
  );
}

function Filters({ filter }: { filter: AuditFilter }) {
  const workspace = useWorkspace();
  const navigate = useNavigate({ from: '/w/$slug/settings/audit' });
  const members = useQuery(membersQuery(workspace)).data ?? [];
  const set = (change: { type?: string | undefined; actor?: string | undefined }) => {
    const { type, actor } = { ...filter, ...change };
    void navigate({ search: { ...(type ? { type } : {}), ...(actor ? { actor } : {}) }, replace: true });
  };
  return (
    <FactFilters kinds={workspaceKinds} type={filter.type} set={type => set({ type })}>
      <Select
        aria-label="By"
        placeholder="By everybody"
        data={members.map(member => ({ value: member.user.id, label: memberName(member) }))}
        value={filter.actor ?? null}
        onChange={actor => set({ actor: actor ?? undefined })}
        clearable
        clearButtonProps={{ 'aria-label': 'By everybody' }}
      />
    </FactFilters>
  );
}
