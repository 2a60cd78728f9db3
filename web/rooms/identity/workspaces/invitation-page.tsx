import { Button, Stack, Text } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useNavigate, useParams } from '@tanstack/react-router';
import { TextLink } from '../../../kit/links.tsx';
import { meQuery } from '../api.ts';
import { Entry } from '../entry.tsx';
import { NewAccount } from '../new-account.tsx';
import { Refused } from '../refused.tsx';
import { SignOut } from '../sign-out.tsx';
import { acceptInvitation, type InvitationView, invitationQuery, joinByInvitation } from './api.ts';
import { roles } from './words.ts';

/** Where the link of an invitation leads: in with the account that one has, or with a new one. */
export function InvitationPage() {
  const { token } = useParams({ from: '/invitation/$token' });
  const invitation = useQuery(invitationQuery(token));
  const me = useQuery({ ...meQuery, retry: false });
  if (invitation.isPending || me.isPending) {
    return (
      <Entry title="Invitation" intro="One moment.">
        <Text c="dimmed">Looking for it.</Text>
      </Entry>
    );
  }
  if (invitation.error) {
    return (
      <Entry title="This invitation is over" intro={invitation.error.message}>
        <TextLink to="/sign-in">Sign in</TextLink>
      </Entry>
    );
  }
  const { data } = invitation;
  const intro = `${data.invited_by ? `${data.invited_by} invites you` : 'You are invited'} to come in as ${roles[data.role].word.toLowerCase()}.`;
  return (
    <Entry title={`Join ${data.workspace.name}`} intro={intro}>
      {me.data ? (
        <AsMyself token={token} name={me.data.user.name || me.data.user.username || ''} view={data} />
      ) : (
        <AsSomebodyNew token={token} view={data} />
      )}
    </Entry>
  );
}

function AsMyself({ token, name, view }: { token: string; name: string; view: InvitationView }) {
  const client = useQueryClient();
  const navigate = useNavigate();
  const accept = useMutation({
    mutationFn: () => acceptInvitation(token),
    onSuccess: () => {
      client.clear();
      return navigate({ to: '/', replace: true });
    },
  });
  return (
    <Stack gap="md">
      <Refused error={accept.error} />
      <Text>You are signed in as {name}.</Text>
      <Button loading={accept.isPending} onClick={() => accept.mutate()} fullWidth>
        Join {view.workspace.name}
      </Button>
      <SignOut next={`/invitation/${token}`} />
    </Stack>
  );
}

function AsSomebodyNew({ token, view }: { token: string; view: InvitationView }) {
  return (
    <Stack gap="md">
      <Text>
        Have an account already?{' '}
        <TextLink to="/sign-in" search={{ next: `/invitation/${token}` }}>
          Sign in
        </TextLink>
      </Text>
      <NewAccount token={token} verb="Make an account and join" email={view.email} make={joinByInvitation} />
    </Stack>
  );
}
