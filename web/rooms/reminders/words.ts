import { IconFlag, IconPlayerPause, IconPlayerPlay } from '@tabler/icons-react';
import type { Reminder } from '../../../src/reminders/schema.ts';
import type { StatusLook } from '../../kit/status-badge.tsx';

export const statusLooks: Record<Reminder['status'], StatusLook> = {
  active: { color: 'blue', word: 'Active', icon: IconPlayerPlay },
  paused: { color: 'gray', word: 'Paused', icon: IconPlayerPause },
  ended: { color: 'gray', word: 'Ended', icon: IconFlag },
};
