import { Center, Paper, Stack, Text, Title } from '@mantine/core';
import { useDocumentTitle } from '@mantine/hooks';
import type { ReactNode } from 'react';
import { Wordmark } from '../../kit/brand.tsx';

/** The pages before the door: one card in the middle. */
export function Entry({ title, intro, children }: { title: string; intro: string; children: ReactNode }) {
  useDocumentTitle(`${title} · Convoke`);
  return (
    <Center component="main" mih="100dvh" p="md">
      <Stack gap="xl" w="100%" maw="var(--convoke-entry)" align="center">
        <Wordmark />
        <Paper p={{ base: 'lg', sm: 'xl' }} w="100%" shadow="sm">
          <Stack gap="lg">
            <Stack gap="xs">
              <Title order={1}>{title}</Title>
              <Text c="dimmed">{intro}</Text>
            </Stack>
            {children}
          </Stack>
        </Paper>
      </Stack>
    </Center>
  );
}
