import { IconParking } from '@tabler/icons-react';
import type { StatusLook } from '../../../kit/status-badge.tsx';
import type { Parkable, Parking, Parkings } from './api.ts';

export const parkedLook: StatusLook = { color: 'gray', word: 'Parked', icon: IconParking };

/** The parking of just this; undefined when it is not parked by itself. */
export function parkingOf(parkings: Parkings | undefined, what: Parkable): Parking | undefined {
  return parkings?.data.find(parking =>
    what === 'workspace' ? parking.of === 'workspace' : parking.channel_id === what.channelId,
  );
}

/** What is parked beside it and keeps back its messages as well. */
export function wider(parkings: Parkings | undefined, what: Parkable): Parking[] {
  return (parkings?.data ?? []).filter(
    ({ of }) => of === 'instance' || (of === 'workspace' && what !== 'workspace'),
  );
}

export function nameOf(what: Parkable): string {
  return what === 'workspace' ? 'the workspace' : what.label;
}

const titles: Record<Parking['of'], string> = {
  instance: 'The operator has parked this Convoke: nothing is sent',
  workspace: 'This workspace is parked: nothing is sent',
  channel: 'This channel is parked: nothing of it is sent',
};

export function parkedTitle({ of }: Parking): string {
  return titles[of];
}

export function parkedBy({ of, parked_by }: Parking, me: string): string {
  if (of === 'instance' || parked_by === null) return 'By the operator';
  return parked_by === me ? 'By you' : 'By somebody else here';
}

/** How much is kept back, and how much of it is late. */
export function keptWords({ waiting, overdue }: Pick<Parking, 'waiting' | 'overdue'>): string {
  if (waiting === 0) return 'Nothing is due yet.';
  const all = waiting === 1 ? '1 message is kept back' : `${waiting} messages are kept back`;
  if (overdue === 0) return `${all}.`;
  if (overdue < waiting) return `${all}, ${overdue} of them later than planned.`;
  return `${all}, ${waiting === 1 ? 'later than planned' : 'all later than planned'}.`;
}
