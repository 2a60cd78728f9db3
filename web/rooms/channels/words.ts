import {
  IconAlertTriangle,
  IconBan,
  IconCircleCheck,
  IconCircleX,
  IconQrcode,
  IconRefresh,
  IconUnlink,
} from '@tabler/icons-react';
import type { Channel, ChannelStatus } from '../../../src/channels/schema.ts';
import type { StatusLook } from '../../kit/status-badge.tsx';

const statusLooks: Record<ChannelStatus, StatusLook> = {
  connected: { color: 'green', word: 'Connected', icon: IconCircleCheck },
  connecting: { color: 'blue', word: 'Connecting', icon: IconRefresh },
  pairing: { color: 'blue', word: 'Pairing', icon: IconQrcode },
  unpaired: { color: 'gray', word: 'Not paired', icon: IconUnlink },
  degraded: { color: 'orange', word: 'Unsteady', icon: IconAlertTriangle },
  restricted: { color: 'red', word: 'Restricted', icon: IconBan },
  failed: { color: 'red', word: 'Not working', icon: IconCircleX },
};

/** How the channel looks: a restriction counts for more than that the connection stands. */
export function lookOfChannel(channel: Pick<Channel, 'status' | 'restriction'>): StatusLook {
  return statusLooks[channel.restriction ? 'restricted' : channel.status];
}

export type Explanation = { words: string; remedy: string; pairAgain: boolean };

/** What the status means for the person, and what to do about it. */
export function explain(
  channel: Pick<Channel, 'status' | 'status_reason' | 'phone' | 'restriction'>,
): Explanation {
  if (channel.restriction && channel.status === 'connected') return statuses.restricted;
  const byReason = channel.status_reason === null ? undefined : reasons[channel.status_reason];
  // A reason may outlive its trouble; while the channel works, only the status counts.
  if (byReason && channel.status !== 'connected' && channel.status !== 'pairing') return byReason;
  return statuses[channel.status];
}

/** Whether the channel waits for a person. */
export function needsYou(channel: Pick<Channel, 'status' | 'restriction'>): boolean {
  return (
    channel.restriction !== null || ['unpaired', 'degraded', 'restricted', 'failed'].includes(channel.status)
  );
}

const statuses: Record<ChannelStatus, Explanation> = {
  connected: { words: 'Connected to WhatsApp.', remedy: '', pairAgain: false },
  connecting: {
    words: 'The connection to WhatsApp is coming up.',
    remedy: 'Messages wait until it stands.',
    pairAgain: false,
  },
  pairing: {
    words: 'A phone is being linked right now.',
    remedy: 'Finish on the pairing page.',
    pairAgain: true,
  },
  unpaired: {
    words: 'No phone is linked to this channel.',
    remedy: 'Pair a phone to send from it.',
    pairAgain: true,
  },
  degraded: {
    words: 'The connection to WhatsApp comes and goes.',
    remedy: 'Convoke keeps trying; messages may be late.',
    pairAgain: false,
  },
  restricted: {
    words: 'WhatsApp has restricted this number.',
    remedy: 'Convoke has paused it; queued messages wait. Look into WhatsApp on the phone for the reason.',
    pairAgain: false,
  },
  failed: {
    words: 'This channel cannot connect to WhatsApp.',
    remedy: 'Pair the phone again. If that does not help, tell the operator of this Convoke.',
    pairAgain: true,
  },
};

const linkEnded: Explanation = {
  words: 'The phone no longer lists Convoke among its linked devices.',
  remedy: 'Pair it again to go on. Groups and reminders are kept.',
  pairAgain: true,
};

const timedOut: Explanation = {
  words: 'The last pairing ran out before a phone was linked.',
  remedy: 'Take the phone in your hand, then pair again.',
  pairAgain: true,
};

const reasons: Record<string, Explanation> = {
  logged_out: linkEnded,
  device_removed: linkEnded,
  timed_out: timedOut,
  pairing_timed_out: timedOut,
  pairing_interrupted: {
    words: 'The last pairing was interrupted before it was complete.',
    remedy: 'Pair the phone again; take the newest code on the page.',
    pairAgain: true,
  },
  pairing_refused: {
    words: 'WhatsApp refused to link this number.',
    remedy: 'Wait a little, then pair again.',
    pairAgain: true,
  },
  code_refused: {
    words: 'WhatsApp gave no code for this number.',
    remedy: 'Check the number, or pair with the QR code instead.',
    pairAgain: true,
  },
  unreachable: {
    words: 'WhatsApp cannot be reached from here.',
    remedy: 'Convoke keeps trying. If other pages do not load either, look at the internet connection.',
    pairAgain: false,
  },
  no_room: {
    words: 'No node of this Convoke has room for another channel.',
    remedy: 'Messages wait. The operator can add a node or raise CONVOKE_MAX_CHANNELS_PER_NODE.',
    pairAgain: false,
  },
  not_answering: {
    words: 'The connection to WhatsApp is open, but nothing is answered.',
    remedy: 'Convoke opens a new one by itself; messages wait.',
    pairAgain: false,
  },
  not_reading: {
    words: 'Messages come in, but are not read any more.',
    remedy: 'Convoke opens a new connection by itself; nothing is lost.',
    pairAgain: false,
  },
  restart_advised: {
    words: 'New connections to WhatsApp do not help: nothing is answered on any of them.',
    remedy: 'Convoke keeps trying. Ask the operator of this Convoke to restart it.',
    pairAgain: false,
  },
  store_unavailable: {
    words: 'What WhatsApp brings could not be stored.',
    remedy:
      'Convoke tries again by itself; nothing is lost. If it stays so, tell the operator of this Convoke.',
    pairAgain: false,
  },
  server_busy: {
    words: 'WhatsApp is busy and asks to come back later.',
    remedy: 'Convoke tries again by itself; messages wait.',
    pairAgain: false,
  },
  pairing_cancelled: {
    words: 'The last pairing was cancelled.',
    remedy: 'Pair a phone to send from this channel.',
    pairAgain: true,
  },
  unpaired: {
    words: 'The phone was unpaired here.',
    remedy: 'Pair it again whenever you want; its groups come back.',
    pairAgain: true,
  },
  forbidden: {
    words: 'WhatsApp refuses this number.',
    remedy: 'Open WhatsApp on the phone and look whether the account is restricted or banned.',
    pairAgain: true,
  },
  client_outdated: {
    words: 'WhatsApp no longer accepts this version of the linked device.',
    remedy: 'The operator of this Convoke needs to update it. Your pairing is kept.',
    pairAgain: false,
  },
  replaced: {
    words: 'Another program uses the same linked device.',
    remedy: 'Stop the other program, then pair again here.',
    pairAgain: true,
  },
  credentials_broken: {
    words: 'The stored pairing cannot be read any more.',
    remedy: 'Pair the phone again. Groups and reminders are kept.',
    pairAgain: true,
  },
  number_already_linked: {
    words: 'The phone that answered belongs to another channel of this workspace.',
    remedy: 'Pair with a different phone.',
    pairAgain: true,
  },
};
