import type { ConnectionState, EndReason } from './adapters/contract.ts';
import type { ChannelStatus } from './schema.ts';

/** A pairing takes five minutes whatever the codes of the provider do. */
export const PAIRING_LASTS_MS = 5 * 60_000;

export type Wanted = 'unpaired' | 'pairing' | 'connected' | 'deleted';

export type PairingStepName =
  | 'starting'
  | 'show_qr'
  | 'show_code'
  | 'connecting'
  | 'done'
  | 'failed'
  | 'cancelled';

const after: Record<PairingStepName, readonly PairingStepName[]> = {
  starting: ['show_qr', 'show_code', 'connecting', 'done', 'failed', 'cancelled'],
  show_qr: ['show_qr', 'connecting', 'done', 'failed', 'cancelled'],
  show_code: ['show_code', 'connecting', 'done', 'failed', 'cancelled'],
  connecting: ['done', 'failed', 'cancelled'],
  done: [],
  failed: [],
  cancelled: [],
};

/** The steps from which a pairing may go to this one; `done`, `failed` and `cancelled` are final. */
export function stepsBefore(to: PairingStepName): PairingStepName[] {
  return (Object.keys(after) as PairingStepName[]).filter(from => after[from].includes(to));
}

export function isOver(step: PairingStepName): boolean {
  return after[step].length === 0;
}

/** Pairing starts only where no number is linked: one that is must be unpaired first. */
export function mayPair(wanted: Wanted, status: ChannelStatus): boolean {
  return wanted !== 'deleted' && (wanted !== 'connected' || status === 'unpaired' || status === 'failed');
}

/** Why a pairing failed, in words that say what to do. `{label}` = the other channel of the same number. */
const pairingReasons: Record<string, string> = {
  timed_out: 'Nobody scanned the code within five minutes. Start again when the phone is at hand.',
  number_already_linked:
    'This number is linked to the channel "{label}" already, which keeps working. Use that channel, or unpair it first.',
  refused: 'WhatsApp refused to link this number. Wait a little, then start again.',
  client_outdated: 'WhatsApp no longer accepts this version of Convoke. Update Convoke, then start again.',
  interrupted: 'Convoke was restarted while the code was on show. Start again.',
  not_stored:
    'The link could not be stored. Start again; if that does not help, tell the operator of this Convoke.',
  no_room:
    'No node of this Convoke has room for another channel. Ask the operator to add a node or to raise CONVOKE_MAX_CHANNELS_PER_NODE.',
  code_refused: 'WhatsApp gave no code for this number. Check the number, or scan the QR code instead.',
};

export function pairingDetail(reason: string, otherLabel?: string): string {
  const words =
    pairingReasons[reason] ??
    'The number could not be linked. Start again, or scan the QR code instead of the code.';
  return words.replace('{label}', otherLabel ?? 'another one');
}

/** What a pairing that failed leaves behind as the reason of the channel's status. */
export function reasonOfHalt(reason: string): string {
  return pairingHalts[reason] ?? reason;
}

const pairingHalts: Record<string, string> = {
  timed_out: 'pairing_timed_out',
  interrupted: 'pairing_interrupted',
  refused: 'pairing_refused',
  not_stored: 'pairing_interrupted',
};

const MINUTE_MS = 60_000;

/** What becomes of a channel whose connection is over: halted until a person acts or, where it may help, a while. */
export type Halt = { status: ChannelStatus; unpairs: boolean; retryAfterMs: number | undefined };

const halts: Record<EndReason, Halt> = {
  logged_out: { status: 'unpaired', unpairs: true, retryAfterMs: undefined },
  forbidden: { status: 'failed', unpairs: false, retryAfterMs: undefined },
  client_outdated: { status: 'failed', unpairs: false, retryAfterMs: 60 * MINUTE_MS },
  replaced: { status: 'failed', unpairs: false, retryAfterMs: 10 * MINUTE_MS },
  credentials_broken: { status: 'failed', unpairs: false, retryAfterMs: undefined },
};

export function haltAfter(reason: EndReason): Halt {
  return halts[reason];
}

export type Look = { status: ChannelStatus; reason: string | null; until: Date | null };

/** How a living connection shows on the channel. Only `connected` means that it can send. */
export function lookOf(state: Exclude<ConnectionState, { status: 'ended' }>): Look {
  switch (state.status) {
    case 'connected':
      return { status: 'connected', reason: null, until: null };
    case 'connecting':
      return { status: 'connecting', reason: null, until: null };
    case 'waiting':
      return { status: 'connecting', reason: state.reason, until: state.retryAt };
    case 'degraded':
      return { status: 'degraded', reason: state.reason, until: null };
    case 'restricted':
      return { status: 'restricted', reason: state.reason, until: state.until ?? null };
  }
}
