import type { EndReason, SendOutcome } from '../contract.ts';

/** How a socket ended, read from what Baileys reports. */
export type Ending = {
  /** Code of the server's last stanza; 515, 401, 428, … */
  code: number | undefined;
  /** `transport` codes are HTTP statuses and socket errors, which say nothing about the account. */
  source: 'server' | 'transport' | 'local';
  /** The type attribute of a conflict stanza. */
  conflict: string | undefined;
};

export type Verdict =
  | { action: 'reconnect' }
  | { action: 'backoff'; reason: string; firstMs: number; maxMs: number }
  | { action: 'end'; reason: EndReason }
  | { action: 'stop' };

const SHORT = { firstMs: 1_000, maxMs: 60_000 };
const LONG = { firstMs: 10_000, maxMs: 300_000 };

/** What the server's code means; sources: the table in the design's research, section 1, and `failure` reasons. */
const BY_CODE: Record<number, Verdict> = {
  401: { action: 'end', reason: 'logged_out' },
  403: { action: 'end', reason: 'forbidden' },
  405: { action: 'end', reason: 'client_outdated' },
  406: { action: 'end', reason: 'forbidden' },
  408: { action: 'backoff', reason: 'connection_lost', ...SHORT },
  409: { action: 'end', reason: 'client_outdated' },
  411: { action: 'end', reason: 'credentials_broken' },
  428: { action: 'backoff', reason: 'connection_closed', ...SHORT },
  440: { action: 'end', reason: 'replaced' },
  500: { action: 'backoff', reason: 'server_error', ...LONG },
  503: { action: 'backoff', reason: 'server_busy', ...LONG },
  515: { action: 'reconnect' },
};

const UNREACHABLE: Verdict = { action: 'backoff', reason: 'unreachable', ...SHORT };
const UNKNOWN: Verdict = { action: 'backoff', reason: 'unexpected_end', ...LONG };

/** Decides what follows an ending. `leaving` tells our own logout, whose answer is a 401 too, from the owner's. */
export function verdictOn(ending: Ending, leaving: boolean): Verdict {
  if (leaving || (ending.source === 'local' && ending.code === undefined)) return { action: 'stop' };
  if (ending.conflict === 'device_removed') return { action: 'end', reason: 'logged_out' };
  if (ending.source === 'transport') return UNREACHABLE;
  return (ending.code === undefined ? undefined : BY_CODE[ending.code]) ?? UNKNOWN;
}

/** Reads a Boom of Baileys without trusting its shape. */
export function readEnding(error: unknown): Ending {
  if (typeof error !== 'object' || error === null)
    return { code: undefined, source: 'local', conflict: undefined };
  const { output, data } = error as { output?: { statusCode?: unknown }; data?: unknown };
  const code = typeof output?.statusCode === 'number' ? output.statusCode : undefined;
  const source = code === undefined || data instanceof Error ? 'transport' : 'server';
  return { code, source, conflict: conflictOf(data) };
}

function conflictOf(data: unknown): string | undefined {
  if (typeof data !== 'object' || data === null || !('tag' in data) || data.tag !== 'conflict')
    return undefined;
  const type = 'attrs' in data ? (data.attrs as { type?: unknown } | undefined)?.type : undefined;
  return typeof type === 'string' ? type : undefined;
}

/** Exponential with jitter, so that many connections do not come back in the same instant. `failures` from 1 on. */
export function backoffMs(
  verdict: { firstMs: number; maxMs: number },
  failures: number,
  random = Math.random(),
): number {
  const full = Math.min(verdict.maxMs, verdict.firstMs * 2 ** Math.min(failures - 1, 16));
  return Math.round(full / 2 + (full / 2) * random);
}

type Refusal = { code: string; detail: string; restricts?: true };

/** Acks with an error that will not change by asking again. 463 is never retried: each try makes it worse. */
const REFUSALS: Record<string, Refusal> = {
  '400': {
    code: 'malformed',
    detail: 'WhatsApp could not read this message. Please report it to the makers of Convoke.',
  },
  '401': {
    code: 'not_allowed',
    detail: 'WhatsApp does not let this number write to this chat. Look at the chat on the phone.',
  },
  '403': {
    code: 'not_in_group',
    detail: 'This number may not write to this group. Check on the phone that it is still a member.',
  },
  '404': {
    code: 'chat_not_found',
    detail: 'WhatsApp does not know this chat any more. Refresh the groups or check the number.',
  },
  '405': {
    code: 'not_allowed',
    detail: 'Only admins may write to this group. Make this number an admin, or use another group.',
  },
  '406': {
    code: 'not_acceptable',
    detail: 'WhatsApp did not accept this message. Change the text before sending it again.',
  },
  '463': {
    code: 'account_restricted',
    detail:
      'WhatsApp currently keeps this number from starting new chats. Wait until the limit ends; known chats still work.',
    restricts: true,
  },
  '487': { code: 'malformed', detail: 'WhatsApp could not read this message.' },
};

/** Acks with an error that passes: too many messages, stale device lists, trouble at the server. */
const DEFERRALS: Record<string, { code: string; waitMs: number }> = {
  '429': { code: 'rate_limited', waitMs: 60_000 },
  '479': { code: 'devices_changed', waitMs: 5_000 },
  '500': { code: 'server_error', waitMs: 30_000 },
  '503': { code: 'server_busy', waitMs: 60_000 },
};

/** The outcome behind the `error` attribute of the server's ack. */
export function outcomeOfNack(error: string, now: Date): SendOutcome {
  const deferral = DEFERRALS[error];
  if (deferral)
    return { outcome: 'deferred', code: deferral.code, until: new Date(now.getTime() + deferral.waitMs) };
  const refusal = REFUSALS[error] ?? {
    code: 'refused',
    detail: `WhatsApp refused this message (error ${error}).`,
  };
  return { outcome: 'refused', ...refusal };
}

/** The code of a query that WhatsApp answered with an error; Baileys keeps it in `data`. */
export function queryErrorCode(error: unknown): number | undefined {
  if (typeof error === 'object' && error !== null && 'data' in error && typeof error.data === 'number')
    return error.data;
  return readEnding(error).code;
}
