import { Button, Group, Stack, Text, Title } from '@mantine/core';
import { IconUserMinus, IconUserPlus } from '@tabler/icons-react';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { confirmThat } from '../../../kit/confirm.tsx';
import { TextLink } from '../../../kit/links.tsx';
import { Moment } from '../../../kit/moment.tsx';
import { Page } from '../../../kit/page.tsx';
import { Row, Rows } from '../../../kit/rows.tsx';
import { toastDone, toastProblem } from '../../../kit/toast.tsx';
import { Loaded } from '../../../kit/waiting.tsx';
import { useWorkspace } from '../../../kit/workspace.tsx';
import { changeRole, type Member, membersQuery, type Role, removeMember } from './api.ts';
import { Invitations } from './invitations.tsx';
import { InviteDialog } from './invite-dialog.tsx';
import { RoleSelect } from './role-select.tsx';
import { givenBy, memberName, roles } from './words.ts';

/** Who belongs to the workspace, and who has been asked to. */
export function MembersPage() {
  const workspace = useWorkspace();
  const query = useQuery(membersQuery(workspace));
  const [inviting, setInviting] = useState(false);
  const manages = workspace.can('members.manage');
  return (
    <Page
      title="Members"
      width="reading"
      back={
        <TextLink to="/w/$slug/settings" params={{ slug: workspace.slug }}>
          Settings
        </TextLink>
      }
      action={
        manages && (
          <Button leftSection={<IconUserPlus size="1.2em" aria-hidden />} onClick={() => setInviting(true)}>
            Invite
          </Button>
        )
      }
    >
      <Stack gap="xl">
        <Loaded query={query} what="members">
          {members => (
            <Rows label="Members">
              {members.map(member => (
                <MemberRow key={member.user.id} member={member} />
              ))}
            </Rows>
          )}
        </Loaded>
        {manages && (
          <Stack gap="md" component="section" aria-label="Invitations">
            <Title order={2}>Invitations</Title>
            <Invitations />
          </Stack>
        )}
      </Stack>
      {inviting && <InviteDialog close={() => setInviting(false)} />}
    </Page>
  );
}

function MemberRow({ member }: { member: Member }) {
  const workspace = useWorkspace();
  const me = member.user.id === workspace.me.user.id;
  const name = memberName(member);
  const mayChange = workspace.can('members.manage') && givenBy(workspace.role).includes(member.role) && !me;
  return (
    <Row
      title={me ? `${name} (you)` : name}
      meta={
        <>
          {[member.user.username, member.user.email]
            .filter(one => one && one !== name)
            .map(one => `${one} · `)}
          since <Moment at={member.created_at} />
        </>
      }
      status={
        mayChange ? <Change member={member} name={name} /> : <Text size="sm">{roles[member.role].word}</Text>
      }
    />
  );
}

function Change({ member, name }: { member: Member; name: string }) {
  const workspace = useWorkspace();
  const client = useQueryClient();
  const settled = () => client.invalidateQueries({ queryKey: [workspace.slug, 'members'] });
  const change = useMutation({
    mutationFn: (role: Role) => changeRole(workspace.api, member.user.id, role),
    onSuccess: (_, role) =>
      toastDone(`${name} is ${roles[role].word.toLowerCase()} now.`, () => change.mutate(member.role)),
    onError: error => toastProblem('The role stays as it was', error),
    onSettled: settled,
  });
  const remove = useMutation({
    mutationFn: () => removeMember(workspace.api, member.user.id),
    onSuccess: () => toastDone(`${name} does not belong to ${workspace.name} any more.`),
    onError: error => toastProblem(`${name} is still a member`, error),
    onSettled: settled,
  });
  return (
    <Group gap="xs" wrap="nowrap">
      <RoleSelect
        aria-label={`Role of ${name}`}
        from={givenBy(workspace.role)}
        value={change.isPending ? change.variables : member.role}
        onChange={role => change.mutate(role)}
        disabled={change.isPending}
        w="8.5rem"
      />
      <Button
        variant="subtle"
        color="red"
        size="sm"
        px="xs"
        aria-label={`Remove ${name}`}
        loading={remove.isPending}
        onClick={() =>
          confirmThat({
            title: `Remove ${name}?`,
            consequence: `${name} can no longer see or do anything in ${workspace.name}. What they did stays in the activity.`,
            verb: 'Remove',
            act: () => remove.mutate(),
          })
        }
      >
        <IconUserMinus size="1.2em" aria-hidden />
      </Button>
    </Group>
  );
}
