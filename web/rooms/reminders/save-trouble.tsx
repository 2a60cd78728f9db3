import { Alert, Button, Stack, Text } from '@mantine/core';
import { IconAlertTriangle } from '@tabler/icons-react';
import { Problem } from '../../kit/api.ts';
import { ErrorView } from '../../kit/error-view.tsx';
import type { Step } from './draft.ts';

const places: [path: string, step: Step][] = [
  ['channel_id', 'channel'],
  ['content', 'message'],
  ['schedule', 'when'],
  ['ends_at', 'when'],
  ['targets', 'who'],
];

/** Why a save was refused, with the way to the question it is about. */
export function SaveTrouble({
  error,
  goTo,
  retry,
}: {
  error: Error;
  goTo: (step: Step) => void;
  retry: () => void;
}) {
  if (!(error instanceof Problem) || error.fields.length === 0)
    return <ErrorView error={error} retry={retry} />;
  const faults = error.fields.map(field => ({
    ...field,
    step: places.find(([path]) => field.path.startsWith(path))?.[1],
  }));
  return (
    <Alert color="red" icon={<IconAlertTriangle aria-hidden />} title="Not saved yet" role="alert">
      <Stack gap="xs" align="flex-start">
        {faults.map(({ path, detail, step }) => (
          <Text key={path}>
            {detail}{' '}
            {step !== undefined && (
              <Button size="compact-sm" variant="default" onClick={() => goTo(step)}>
                Correct it
              </Button>
            )}
          </Text>
        ))}
      </Stack>
    </Alert>
  );
}
