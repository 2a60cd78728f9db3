import { Box, Button, Center } from '@mantine/core';
import { useDocumentTitle } from '@mantine/hooks';
import type { ErrorComponentProps } from '@tanstack/react-router';
import { Problem } from './api.ts';
import { Empty } from './empty.tsx';
import { ErrorView } from './error-view.tsx';
import { Page } from './page.tsx';
import { Waiting } from './waiting.tsx';

export function NotFound() {
  useDocumentTitle('Nothing here · Convoke');
  return (
    <Center mih="70dvh">
      <Empty
        shape="lost"
        title="There is nothing at this address"
        order={1}
        action={
          <Button component="a" href="/">
            To the start
          </Button>
        }
      >
        The link may be old, or it belongs to a workspace that you are not in.
      </Empty>
    </Center>
  );
}

export function Pending() {
  return (
    <Box p="xl" maw="var(--convoke-wide)" mx="auto">
      <Waiting what="the page" />
    </Box>
  );
}

export function Failed({ error, reset }: ErrorComponentProps) {
  const missing = isMissingPart(error);
  return (
    <Page title="Something went wrong" width="reading">
      <ErrorView
        error={missing ? new Problem(0, 'page_not_loaded', MISSING) : error}
        retry={missing ? () => window.location.reload() : reset}
      />
    </Page>
  );
}

const MISSING = 'This page could not be loaded. Check your connection, then load it again; nothing was lost.';

/** A part of the app that was not fetched: no connection, or a newer version has taken its place. */
function isMissingPart(error: unknown): boolean {
  return (
    error instanceof Error && /preload CSS|dynamically imported module|module script/i.test(error.message)
  );
}
