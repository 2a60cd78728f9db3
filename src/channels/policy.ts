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

/** Whether a pairing may go from one step to the other; `done`, `failed` and `cancelled` are final. */
export function mayStep(from: PairingStepName, to: PairingStepName): boolean {
  return after[from].includes(to);
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
  code_refused: 'WhatsApp gave no code for this number. Check the number, or scan the QR code instead.',
};

export function pairingDetail(reason: string, otherLabel?: string): string {
  const words =
    pairingReasons[reason] ??
    'The number could not be linked. Start again, or scan the QR code instead of the code.';
  return words.replace('{label}', otherLabel ?? 'another one');
}
