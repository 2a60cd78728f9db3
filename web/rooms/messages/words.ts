import {
  IconAlertTriangle,
  IconBan,
  IconCheck,
  IconChecks,
  IconClock,
  IconClockX,
  IconEyeCheck,
  IconHelpCircle,
  IconSend,
} from '@tabler/icons-react';
import type { DeliveryStatus } from '../../../src/messages/schema.ts';
import { phoneWords } from '../../kit/phone.ts';
import type { StatusLook } from '../../kit/status-badge.tsx';
import type { Outcome } from './outcomes.ts';

export const outcomeWords: Record<Outcome, string> = {
  waiting: 'Waiting',
  under_way: 'Under way',
  delivered: 'Delivered',
  needs_you: 'Needs you',
  stopped: 'Stopped',
};

export const statusLooks: Record<DeliveryStatus, StatusLook> = {
  queued: { color: 'gray', word: 'Waiting', icon: IconClock },
  in_flight: { color: 'blue', word: 'Under way', icon: IconSend },
  accepted: { color: 'blue', word: 'Under way', icon: IconSend },
  sent: { color: 'green', word: 'Sent', icon: IconCheck },
  delivered: { color: 'green', word: 'Delivered', icon: IconChecks },
  read: { color: 'green', word: 'Read', icon: IconEyeCheck },
  failed: { color: 'red', word: 'Failed', icon: IconAlertTriangle },
  unknown: { color: 'orange', word: 'Unclear', icon: IconHelpCircle },
  cancelled: { color: 'gray', word: 'Cancelled', icon: IconBan },
  missed: { color: 'gray', word: 'Missed', icon: IconClockX },
};

/** How the status of a target of a run looks; the API names it as a plain text. */
export function lookOf(status: string): StatusLook {
  return statusLooks[status as DeliveryStatus] ?? statusLooks.unknown;
}

type Named = { group_id: string | null; phone: string | null; name: string | null };

export function recipientName(to: Named): string {
  return to.name ?? (to.phone === null ? 'A group' : phoneWords(to.phone));
}

/** What to do about a delivery that did not go as it should, where the server gives only a code. */
export function remedyOf(status: DeliveryStatus, reason: string | null, detail: string | null): string {
  return detail ?? reasons[reason ?? ''] ?? remedies[status] ?? '';
}

const remedies: Partial<Record<DeliveryStatus, string>> = {
  failed: 'WhatsApp did not take this message. Look at the details, then send it again if it still matters.',
  unknown:
    'The connection broke before WhatsApp answered. Look on the phone whether it arrived; Convoke does not send it again by itself.',
  cancelled: 'It was taken back before it left. Nothing was sent.',
  missed: 'It could not leave in time, so it was not sent late. Send it again if it still matters.',
};

const reasons: Record<string, string> = {
  channel_deleted: 'Its channel was deleted before it could leave. Nothing was sent.',
  reminder_paused: 'Its reminder was paused before it could leave. Nothing was sent.',
  reminder_changed: 'Its reminder was changed before it could leave. The new version takes its place.',
  group_archived:
    'The number is no longer in this group. Add it again on the phone, or choose another group.',
  opted_out: 'This person has asked for no more messages. Respect it.',
};
