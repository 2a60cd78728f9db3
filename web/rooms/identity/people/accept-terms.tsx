import { Anchor, Checkbox } from '@mantine/core';
import type { ReactNode } from 'react';
import type { Instance } from './api.ts';

/** The consent without which there is no account, where the installation has terms. */
export function AcceptTerms({ terms, error }: { terms: NonNullable<Instance['terms']>; error: ReactNode }) {
  return (
    <Checkbox
      name="accept_terms"
      error={error}
      label={
        <>
          I have read and accept the{' '}
          {terms.url === null ? (
            'terms'
          ) : (
            <Anchor inherit href={terms.url} target="_blank" rel="noreferrer" underline="always">
              terms
            </Anchor>
          )}{' '}
          of {terms.version}.
        </>
      }
    />
  );
}
