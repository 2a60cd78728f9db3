import {
  IconAlertTriangle,
  IconBan,
  IconCheck,
  IconChecks,
  IconClock,
  IconClockX,
  IconEyeCheck,
  IconHelpCircle,
  IconPlugConnectedX,
  IconSend,
} from '@tabler/icons-react';
import type { Delivery, DeliveryStatus, Resolution } from '../../../src/messages/schema.ts';
import { phoneWords } from '../../kit/phone.ts';
import type { StatusLook } from '../../kit/status-badge.tsx';
import type { Outcome } from './outcomes.ts';
import { isInDoubt } from './tries.ts';

export const outcomeWords: Record<Outcome, string> = {
  waiting: 'Waiting',
  under_way: 'Under way',
  delivered: 'Delivered',
  needs_you: 'Needs you',
  stopped: 'Stopped',
};

const statusLooks: Record<DeliveryStatus, StatusLook> = {
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

const inDoubt: StatusLook = { color: 'orange', word: 'In doubt', icon: IconPlugConnectedX };
const givenUp: StatusLook = { color: 'gray', word: 'Given up', icon: IconBan };

/** How a delivery looks, with what its status alone does not tell. */
export function lookOfDelivery(delivery: Pick<Delivery, 'status' | 'reason' | 'doubt_at'>): StatusLook {
  if (isInDoubt(delivery)) return inDoubt;
  return delivery.reason === 'given_up' ? givenUp : statusLooks[delivery.status];
}

/** How the status of a target of a run looks; the API names it as a plain text. */
export function lookOf(status: string): StatusLook {
  return statusLooks[status as DeliveryStatus] ?? statusLooks.unknown;
}

/** What may be decided about a message that got no answer. None of it can be taken back. */
export const choiceWords: Record<
  Resolution,
  { verb: string; ask: string; meaning: string; consequence: string; done: string }
> = {
  arrived: {
    verb: 'It arrived',
    ask: 'Has {to} got this message?',
    meaning: 'You know that it is there. It counts as sent.',
    consequence: 'It counts as sent from now on and is not sent again. This cannot be undone.',
    done: 'The message counts as sent.',
  },
  send_again: {
    verb: 'Send again',
    ask: 'Send this to {to} again?',
    meaning:
      'The same message goes out once more under the same id. Phones that have it already show it once, as far as is known; WhatsApp does not promise that. It cannot be taken back.',
    consequence:
      'It goes out once more under the same id. Phones that have it already show it once, as far as is known; WhatsApp does not promise that. This cannot be undone.',
    done: 'The message goes out again.',
  },
  give_up: {
    verb: 'Give up',
    ask: 'Give up this message to {to}?',
    meaning: 'It is not sent again. If it did not arrive, nobody gets it. This cannot be undone.',
    consequence: 'It is never sent again. If it did not arrive, nobody gets it. This cannot be undone.',
    done: 'The message is given up. It is not sent again.',
  },
};

type Named = { group_id: string | null; phone: string | null; name: string | null };

export function recipientName(to: Named): string {
  return to.name ?? (to.phone === null ? 'A group' : phoneWords(to.phone));
}

/** What to do about a delivery that did not go as it should, where the server gives only a code. */
export function remedyOf(status: DeliveryStatus, reason: string | null, detail: string | null): string {
  if (status === 'unknown') return remedies.unknown ?? '';
  return detail ?? reasons[reason ?? ''] ?? remedies[status] ?? '';
}

const remedies: Partial<Record<DeliveryStatus, string>> = {
  failed: 'WhatsApp did not take this message. Look at the details, then send it again if it still matters.',
  unknown: 'It waits for a decision.',
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
