import { Button, Group, Text } from '@mantine/core';
import { IconShieldCheck, IconShieldPlus } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { Row, Rows } from '../../../kit/rows.tsx';
import { Loaded } from '../../../kit/waiting.tsx';
import { secondFactorQuery } from './api.ts';
import { ProofDialog } from './proof-dialog.tsx';
import { SetupDialog } from './setup-dialog.tsx';

const FEW = 3;

export function SecondFactorSection() {
  const query = useQuery(secondFactorQuery);
  const [open, setOpen] = useState<'setup' | 'remove' | 'renew'>();
  const close = () => setOpen(undefined);
  return (
    <Loaded query={query} what="second factor">
      {({ enabled, recovery_codes_left: left }) => (
        <>
          {enabled ? (
            <Rows label="Second factor">
              <Row
                title={
                  <Group gap="xs" component="span">
                    <IconShieldCheck size="1.2em" aria-hidden /> On
                  </Group>
                }
                meta={
                  left <= FEW
                    ? `Only ${left} recovery ${left === 1 ? 'code is' : 'codes are'} left. Make new ones.`
                    : `${left} recovery codes are left.`
                }
                status={
                  <Group gap="xs">
                    <Button variant="default" size="sm" onClick={() => setOpen('renew')}>
                      New recovery codes
                    </Button>
                    <Button variant="light" color="red" size="sm" onClick={() => setOpen('remove')}>
                      Turn off
                    </Button>
                  </Group>
                }
              />
            </Rows>
          ) : (
            <Group>
              <Button
                variant="default"
                leftSection={<IconShieldPlus size="1.2em" aria-hidden />}
                onClick={() => setOpen('setup')}
              >
                Set up
              </Button>
              <Text c="dimmed">It is off.</Text>
            </Group>
          )}
          {open === 'setup' && <SetupDialog close={close} />}
          {(open === 'remove' || open === 'renew') && <ProofDialog what={open} close={close} />}
        </>
      )}
    </Loaded>
  );
}
