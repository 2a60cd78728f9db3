import { Stack, Text, Title } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { Page } from '../../../kit/page.tsx';
import { meQuery } from '../api.ts';
import { Outside } from '../outside.tsx';
import { Access } from './access.tsx';
import { DeleteAccount } from './delete-account.tsx';
import { Devices } from './devices.tsx';
import { Profile } from './profile.tsx';
import { SecondFactorSection } from './second-factor.tsx';

/** What belongs to the person, whichever workspace is open. */
export function AccountPage() {
  const user = useQuery(meQuery).data?.user;
  if (!user) return null;
  return (
    <Page title="Your account" width="reading">
      <Stack gap="xl">
        <Section title="Profile" words="The same in all of your workspaces.">
          <Profile user={user} />
        </Section>
        <Section title="Signing in" words="With your username or your e-mail address, and your password.">
          <Access user={user} />
        </Section>
        <Section
          title="Second factor"
          words="Besides the password, signing in asks for a code that an app on your phone shows. Whoever steals the password cannot come in."
        >
          <SecondFactorSection />
        </Section>
        <Section
          title="Where you are signed in"
          words="Sign out what you do not know or no longer use, then change your password."
        >
          <Devices />
        </Section>
        <Section title="Leaving" words="For good, with everything that Convoke knows of you as a person.">
          <DeleteAccount />
        </Section>
      </Stack>
    </Page>
  );
}

/** The same for who is in no workspace just now. */
export function AccountOutside() {
  return (
    <Outside>
      <AccountPage />
    </Outside>
  );
}

function Section({ title, words, children }: { title: string; words: string; children: ReactNode }) {
  return (
    <Stack gap="md" component="section" aria-label={title}>
      <Stack gap={0}>
        <Title order={2}>{title}</Title>
        <Text c="dimmed">{words}</Text>
      </Stack>
      {children}
    </Stack>
  );
}
