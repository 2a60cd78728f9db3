import { Alert, Button, Code, Stack, Text } from '@mantine/core';
import { IconAlertTriangle, IconRefresh } from '@tabler/icons-react';
import { Problem } from './api.ts';

/** What went wrong in plain words, a way to try again, and the request id for whoever looks into it. */
export function ErrorView({ error, retry }: { error: unknown; retry?: (() => void) | undefined }) {
  const problem = error instanceof Problem ? error : undefined;
  return (
    <Alert color="red" icon={<IconAlertTriangle aria-hidden />} title={titleOf(problem)} role="alert">
      <Stack gap="sm" align="flex-start">
        <Text>
          {problem?.message ?? 'This page met something that it did not expect. Try again, or load it anew.'}
        </Text>
        {retry && problem?.status !== 404 && (
          <Button
            variant="default"
            size="sm"
            leftSection={<IconRefresh size="1.1em" aria-hidden />}
            onClick={retry}
          >
            Try again
          </Button>
        )}
        <Details lines={detailsOf(error)} />
      </Stack>
    </Alert>
  );
}

/** Ids and codes, out of the way. */
export function Details({
  lines,
  label = 'Details',
}: {
  lines: [name: string, value: string][];
  label?: string;
}) {
  if (lines.length === 0) return null;
  return (
    <details>
      <Text component="summary" size="sm" style={{ cursor: 'pointer' }}>
        {label}
      </Text>
      <Stack gap="xs" pt="xs">
        {lines.map(([name, value]) => (
          <Text key={name} size="sm">
            {name}: <Code>{value}</Code>
          </Text>
        ))}
      </Stack>
    </details>
  );
}

function titleOf(problem: Problem | undefined): string {
  if (problem?.status === 0) return 'No connection to Convoke';
  if (problem?.status === 404) return 'There is nothing here';
  if (problem?.code === 'opted_out') return 'This person has opted out';
  if (problem?.status === 403) return 'This is not open to you';
  return 'That did not work';
}

function detailsOf(error: unknown): [string, string][] {
  if (!(error instanceof Problem)) return [['Error', error instanceof Error ? error.message : String(error)]];
  const lines: [string, string][] = [['Code', error.code]];
  if (error.requestId !== undefined) lines.push(['Request id', error.requestId]);
  return lines;
}
