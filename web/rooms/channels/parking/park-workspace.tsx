import { Button, Text } from '@mantine/core';
import { IconParking } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { useWorkspace } from '../../../kit/workspace.tsx';
import { parkingsQuery } from './api.ts';
import { Park } from './park.tsx';
import { parkingOf } from './words.ts';

/** The way to park the workspace; while it is parked, every page says so and how it goes on. */
export function ParkWorkspace() {
  const workspace = useWorkspace();
  const [parking, setParking] = useState(false);
  const parkings = useQuery(parkingsQuery(workspace)).data;
  if (!parkings || !workspace.can('channels.manage')) return null;
  if (parkingOf(parkings, 'workspace')) return <Text fw={600}>It is parked now. Arm it at the top.</Text>;
  return (
    <>
      <Button
        variant="default"
        leftSection={<IconParking size="1.2em" aria-hidden />}
        onClick={() => setParking(true)}
      >
        Park the workspace
      </Button>
      {parking && <Park what="workspace" close={() => setParking(false)} />}
    </>
  );
}
