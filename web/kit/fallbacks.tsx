import { Button, Center } from '@mantine/core';
import { useDocumentTitle } from '@mantine/hooks';
import type { ErrorComponentProps } from '@tanstack/react-router';
import { Empty } from './empty.tsx';
import { ErrorView } from './error-view.tsx';
import { Page } from './page.tsx';

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

export function Failed({ error, reset }: ErrorComponentProps) {
  return (
    <Page title="Something went wrong" width="reading">
      <ErrorView error={error} retry={reset} />
    </Page>
  );
}
