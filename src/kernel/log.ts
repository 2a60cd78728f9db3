import parsePhoneNumber from 'libphonenumber-js';
import { type DestinationStream, type Logger, pino } from 'pino';
import type { LogLevel } from './config.ts';

/** Last net under careless calls: none of these belongs into a log line in the first place. */
const NEVER_LOGGED = [
  'password',
  'password_hash',
  'token',
  'token_hash',
  'masterKey',
  'databaseUrl',
  'databaseDirectUrl',
  'smtpUrl',
  'secret',
  'ciphertext',
  'payload',
  'body',
  'refresh_token',
  'access_token',
  'challenge',
  'authorization',
  'cookie',
  'qr',
  'code_to_type',
];

/**
 * JSON lines, one per finished request, job or attempt. Name them `room.verb` in `event`.
 * Never hand over message bodies, whole phone numbers, tokens or keys; `maskPhone` is for the numbers.
 */
export function createLogger(level: LogLevel, destination?: DestinationStream): Logger {
  const options = {
    level,
    base: null,
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }) },
    redact: { paths: NEVER_LOGGED.flatMap(name => [name, `*.${name}`, `*.*.${name}`]), censor: '[hidden]' },
    serializers: { err: written, error: written },
  };
  return destination ? pino(options, destination) : pino(options, pino.destination({ fd: 2, sync: true }));
}

/** An error without its further fields: those of the database hold whole rows, those of the provider stanzas. */
function written(error: unknown) {
  if (!(error instanceof Error)) return error;
  const { type, message, stack, code, constraint } = pino.stdSerializers.err(error);
  return { type, message, stack, code, constraint };
}

/** `+491701234567` → `+49 170 •••• 567`. The dots do not tell how many digits they stand for. */
export function maskPhone(phone: string): string {
  const parsed = parsePhoneNumber(phone);
  if (!parsed) return `${phone.slice(0, 2)}••••`;
  const national = parsed.nationalNumber;
  const head = national.length >= 9 ? `${national.slice(0, 3)} ` : '';
  const tail = national.slice(national.length >= 7 ? -3 : -2);
  return `+${parsed.countryCallingCode} ${head}•••• ${tail}`;
}

/** `anna@example.org` → `a••••@example.org`. */
export function maskEmail(email: string): string {
  return `${email.slice(0, 1)}••••${email.slice(email.lastIndexOf('@'))}`;
}
