import { Text } from '@mantine/core';
import { useParams } from '@tanstack/react-router';
import { TextLink } from '../../../kit/links.tsx';
import { ChoosePassword } from '../choose-password.tsx';
import { Entry } from '../entry.tsx';
import { resetPassword } from './api.ts';

/** Another password by a link; all that the old one opened ends. */
export function Reset() {
  const { token } = useParams({ from: '/reset/$token' });
  return (
    <Entry title="Choose another password" intro="This link works once. Everywhere else you are signed out.">
      <ChoosePassword
        save={password => resetPassword(token, password)}
        otherwise={
          <Text size="sm">
            Is the link too old? <TextLink to="/forgot">Ask for another one</TextLink>
          </Text>
        }
      />
    </Entry>
  );
}
