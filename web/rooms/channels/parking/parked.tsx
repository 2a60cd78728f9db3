import { Alert, Button, Stack, Text } from '@mantine/core';
import { IconParking, IconPlayerPlay } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { Moment } from '../../../kit/moment.tsx';
import { useWorkspace } from '../../../kit/workspace.tsx';
import { type Parkable, type Parking, parkingsQuery } from './api.ts';
import { Arm } from './arm.tsx';
import { keptWords, parkedBy, parkedTitle, parkingOf, wider } from './words.ts';

/** Who has parked the channel, when and why, and what is kept back; nothing while it is not parked. */
export function Parked({ what }: { what: Exclude<Parkable, 'workspace'> }) {
  const parking = parkingOf(useQuery(parkingsQuery(useWorkspace())).data, what);
  return parking ? <ParkedCard parking={parking} what={what} /> : null;
}

/** On every page, as nothing goes out while the workspace or all of this Convoke is parked. */
export function ParkedNotice() {
  const parkings = useQuery(parkingsQuery(useWorkspace())).data;
  const all = wider(parkings, { channelId: '', label: '' });
  if (all.length === 0) return null;
  return (
    <Stack gap="sm">
      {all.map(parking => (
        <ParkedCard key={parking.of} parking={parking} what="workspace" />
      ))}
    </Stack>
  );
}

function ParkedCard({ parking, what }: { parking: Parking; what: Parkable }) {
  const workspace = useWorkspace();
  const [arming, setArming] = useState(false);
  return (
    <Alert
      color={parking.overdue > 0 ? 'orange' : 'gray'}
      icon={<IconParking aria-hidden />}
      title={parkedTitle(parking)}
      data-testid="parked"
    >
      <Stack gap="sm" align="flex-start">
        <Text size="sm">
          “{parking.reason}” {parkedBy(parking, workspace.me.user.id)}, <Moment at={parking.since} />.{' '}
          {keptWords(parking)}
        </Text>
        {parking.of !== 'instance' && workspace.can('channels.manage') && (
          <Button
            variant="default"
            size="sm"
            leftSection={<IconPlayerPlay size="1.1em" aria-hidden />}
            onClick={() => setArming(true)}
          >
            Arm
          </Button>
        )}
      </Stack>
      {arming && <Arm what={what} close={() => setArming(false)} />}
    </Alert>
  );
}
