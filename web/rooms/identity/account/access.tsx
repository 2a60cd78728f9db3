import { Button } from '@mantine/core';
import { useState } from 'react';
import { Row, Rows } from '../../../kit/rows.tsx';
import type { Person } from '../api.ts';
import { EmailDialog } from './email-dialog.tsx';
import { PasswordDialog } from './password-dialog.tsx';

/** What one signs in with. */
export function Access({ user: { email } }: { user: Person }) {
  const [open, setOpen] = useState<'email' | 'password'>();
  const close = () => setOpen(undefined);
  return (
    <>
      <Rows label="What you sign in with">
        <Row
          title="E-mail address"
          meta={
            email ?? 'None yet. With one you can sign in, and choose another password when you forget it.'
          }
          status={
            <Button variant="default" size="sm" onClick={() => setOpen('email')}>
              {email === null ? 'Add' : 'Change'}
            </Button>
          }
        />
        <Row
          title="Password"
          meta="Changing it signs you out on all other devices."
          status={
            <Button
              variant="default"
              size="sm"
              aria-label="Change the password"
              onClick={() => setOpen('password')}
            >
              Change
            </Button>
          }
        />
      </Rows>
      {open === 'email' && <EmailDialog close={close} />}
      {open === 'password' && <PasswordDialog close={close} />}
    </>
  );
}
