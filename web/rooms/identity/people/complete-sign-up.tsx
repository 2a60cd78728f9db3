import { useParams } from '@tanstack/react-router';
import { Entry } from '../entry.tsx';
import { NewAccount } from '../new-account.tsx';
import { completeSignUp } from './api.ts';

/** Where the link of the mail leads: name, password, and in. */
export function CompleteSignUp() {
  const { token } = useParams({ from: '/sign-up/$token' });
  return (
    <Entry title="Your account" intro="Almost there. Say who you are and choose a password.">
      <NewAccount token={token} verb="Make my account" make={completeSignUp} />
    </Entry>
  );
}
