import { Text } from '@mantine/core';
import { useParams } from '@tanstack/react-router';
import { TextLink } from '../../kit/links.tsx';
import { chooseFirstPassword } from './api.ts';
import { ChoosePassword } from './choose-password.tsx';
import { Entry } from './entry.tsx';

export function Setup() {
  const { token } = useParams({ from: '/setup/$token' });
  return (
    <Entry
      title="Choose your password"
      intro="This link works once. With the password you sign in from now on."
    >
      <ChoosePassword
        save={password => chooseFirstPassword(token, password)}
        otherwise={
          <Text size="sm">
            Have you a password already? <TextLink to="/sign-in">Sign in</TextLink>
          </Text>
        }
      />
    </Entry>
  );
}
