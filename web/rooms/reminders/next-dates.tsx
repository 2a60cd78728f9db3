import { Alert, Paper, Skeleton, Stack, Text, Title } from '@mantine/core';
import { IconAlertTriangle } from '@tabler/icons-react';
import { readerZone } from '../../kit/reader.ts';
import { wallWords, zoneWords } from '../../kit/time.ts';
import type { Draft } from './draft.ts';
import type { PreviewState } from './use-preview.ts';
import styles from './wizard.module.css';

/** The next five occurrences, as the server reckons them. */
export function NextDates({ draft, preview }: { draft: Draft; preview: PreviewState }) {
  return (
    <Paper
      p="md"
      bg="var(--convoke-ground)"
      component="section"
      aria-label="Next dates"
      miw="min(var(--convoke-phone), 100%)"
    >
      <Stack gap="sm">
        <Title order={3}>
          {draft.repeat.kind === 'once' || draft.mode === 'soon' ? 'It goes out' : 'The next five'}
        </Title>
        <Dates draft={draft} preview={preview} />
      </Stack>
    </Paper>
  );
}

function Dates({ draft, preview }: { draft: Draft; preview: PreviewState }) {
  if (draft.mode === 'soon' && draft.soonAt === null) return <Text>One minute after you save.</Text>;
  if (preview.refusal !== undefined) {
    return (
      <Alert color="orange" icon={<IconAlertTriangle aria-hidden />} role="alert">
        {preview.refusal}
      </Alert>
    );
  }
  if (preview.data === undefined)
    return <Skeleton height="var(--convoke-top)" className="convoke-after-a-moment" />;
  if (preview.data.next.length === 0) return <Text>Never: all of it lies in the past.</Text>;
  return (
    <>
      <ol className={styles.plain}>
        {preview.data.next.map(({ local, at, shifted }) => (
          <li key={at}>
            <time dateTime={at}>{wallWords(local)}</time>
            {shifted && (
              <Text size="sm" c="dimmed">
                Clocks skip this time on that day; it goes out when they have moved on.
              </Text>
            )}
          </li>
        ))}
      </ol>
      <Text size="sm" c="dimmed">
        {draft.zone === readerZone()
          ? `Your time zone, ${zoneWords(draft.zone)}`
          : `On the clocks of ${zoneWords(draft.zone)}`}
      </Text>
    </>
  );
}
