import type { Pairing } from '../../../src/channels/schema.ts';

const over = ['done', 'failed', 'cancelled'];
const WORTH_JOINING_MS = 60_000;

export function isUnderWay(pairing: Pairing): boolean {
  return !over.includes(pairing.step);
}

/** Whether a visitor joins the pairing that is already under way, rather than starting anew. */
export function isWorthJoining(pairing: Pairing | null | undefined, now: number): boolean {
  return pairing != null && isUnderWay(pairing) && Date.parse(pairing.expires_at) - now > WORTH_JOINING_MS;
}

/**
 * What the page shows of the pairing that the server has: the one that this visit started or joined,
 * or one that another visitor has just started. The end of an older one is never shown.
 */
export function shown(current: Pairing | null | undefined, mine: string | undefined): Pairing | undefined {
  if (current == null) return undefined;
  return current.id === mine || (mine !== undefined && isUnderWay(current)) ? current : undefined;
}

/** Eight characters in two halves, as the phone shows them. */
export function codeHalves(code: string): [string, string] {
  const plain = code.replaceAll(/[^0-9A-Za-z]/g, '');
  return [plain.slice(0, 4), plain.slice(4)];
}

/** For screen readers, one character after another. */
export function spelt(code: string): string {
  return codeHalves(code).join('').split('').join(' ');
}

/** Why a pairing failed, and what to do, where the server says it only by its code. */
export function failureWords(pairing: Pairing): { title: string; remedy: string } {
  const known = failures[pairing.reason ?? ''];
  if (known) return { ...known, remedy: pairing.detail ?? known.remedy };
  return {
    title: 'Pairing did not work',
    remedy: pairing.detail ?? 'WhatsApp ended the pairing. Wait a minute, then pair again.',
  };
}

const timedOut = {
  title: 'The five minutes are over',
  remedy: 'Nobody linked a phone in time. Take the phone in your hand, then pair again.',
};

const failures: Record<string, { title: string; remedy: string }> = {
  timed_out: timedOut,
  pairing_timed_out: timedOut,
  number_already_linked: {
    title: 'This number is already linked',
    remedy:
      'Another channel of this workspace uses this number and keeps working. Pair with a different phone.',
  },
  forbidden: {
    title: 'WhatsApp refused this number',
    remedy: 'Open WhatsApp on the phone and look whether the account is restricted, then pair again.',
  },
  client_outdated: {
    title: 'WhatsApp asks for a newer client',
    remedy: 'The operator of this Convoke needs to update it before numbers can be linked again.',
  },
};
