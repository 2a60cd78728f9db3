import { Alert } from '@mantine/core';
import { Problem } from '../../kit/api.ts';

/** What the server said, above a form; nothing where a field says it already. */
export function Refused({ error, fields = [] }: { error: Error | null; fields?: string[] }) {
  if (!error) return null;
  if (error instanceof Problem && fields.some(field => error.of(field) !== undefined)) return null;
  return (
    <Alert color="red" role="alert">
      {error instanceof Problem ? error.message : 'That did not work. Try again.'}
    </Alert>
  );
}
