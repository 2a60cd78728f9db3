import { Button, Code, CopyButton, Group, SimpleGrid, Stack, Text } from '@mantine/core';

/** Recovery codes, which are shown this once. */
export function KeepCodes({ codes, close }: { codes: string[]; close: () => void }) {
  return (
    <Stack gap="md">
      <Text>
        Keep these recovery codes where you find them without your phone. Each lets you in once, instead of a
        code of the app. They are shown only now.
      </Text>
      <SimpleGrid cols={2} spacing="xs" component="ul" p={0} m={0} style={{ listStyle: 'none' }}>
        {codes.map(code => (
          <li key={code}>
            <Code>{code}</Code>
          </li>
        ))}
      </SimpleGrid>
      <Group justify="flex-end">
        <CopyButton value={codes.join('\n')}>
          {({ copied, copy }) => (
            <Button variant="default" onClick={copy}>
              {copied ? 'Copied' : 'Copy all'}
            </Button>
          )}
        </CopyButton>
        <Button onClick={close}>I have kept them</Button>
      </Group>
    </Stack>
  );
}
