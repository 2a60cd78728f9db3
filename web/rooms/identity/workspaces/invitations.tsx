import { Button, Text } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { Moment } from '../../../kit/moment.tsx';
import { Row, Rows } from '../../../kit/rows.tsx';
import { toastDone, toastProblem } from '../../../kit/toast.tsx';
import { Loaded } from '../../../kit/waiting.tsx';
import { useWorkspace } from '../../../kit/workspace.tsx';
import { type Invitation, invitationsQuery, membersQuery, revokeInvitation } from './api.ts';
import { memberName, roles } from './words.ts';

/** Those that somebody can still follow. */
export function Invitations() {
  const query = useQuery(invitationsQuery(useWorkspace()));
  return (
    <Loaded query={query} what="invitations">
      {invitations => {
        const open = invitations.filter(({ status }) => status === 'open');
        if (open.length === 0)
          return <Text c="dimmed">Nobody has been invited who has not come in yet.</Text>;
        return (
          <Rows label="Open invitations">
            {open.map(invitation => (
              <InvitationRow key={invitation.id} invitation={invitation} />
            ))}
          </Rows>
        );
      }}
    </Loaded>
  );
}

function InvitationRow({ invitation }: { invitation: Invitation }) {
  const workspace = useWorkspace();
  const client = useQueryClient();
  const members = useQuery(membersQuery(workspace));
  const by = members.data?.find(({ user }) => user.id === invitation.created_by);
  const revoke = useMutation({
    mutationFn: () => revokeInvitation(workspace.api, invitation.id),
    onSuccess: () => toastDone('The invitation was taken back. Its link opens nothing any more.'),
    onError: error => toastProblem('The invitation was not taken back', error),
    onSettled: () => client.invalidateQueries({ queryKey: [workspace.slug, 'members'] }),
  });
  const title = invitation.email ?? 'Whoever has the link';
  return (
    <Row
      title={title}
      meta={
        <>
          As {roles[invitation.role].word.toLowerCase()}
          {by && `, by ${memberName(by)}`} · ends <Moment at={invitation.expires_at} />
        </>
      }
      status={
        <Button
          variant="default"
          size="sm"
          loading={revoke.isPending}
          aria-label={`Take back the invitation as ${roles[invitation.role].word.toLowerCase()} for ${title}`}
          onClick={() => revoke.mutate()}
        >
          Take back
        </Button>
      }
    />
  );
}
