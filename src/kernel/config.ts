import { hostname } from 'node:os';
import { resolve } from 'node:path';
import { StartError } from './errors.ts';

/** One line of the table: how a variable is read, what it is without one, and what it is for. */
export type Setting<T> = {
  readonly variable: string;
  readonly parse: (text: string) => T;
  readonly fallback: () => T;
  /** The default as the documents show it. */
  readonly shown: string;
  readonly doc: string;
  readonly secret: boolean;
};

type Names<T> = { variable: string; doc: string; fallback: T | (() => T); shown?: string; secret?: true };

const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'silent'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

/** Every variable that Convoke reads. The documents are generated from this table. */
export const settings = {
  port: setting<number>(wholeNumber(0, 65_535), {
    variable: 'CONVOKE_PORT',
    fallback: 3000,
    doc: 'Port of the web page and the API; 0 takes a free one.',
  }),
  host: setting<string>(text, {
    variable: 'CONVOKE_HOST',
    fallback: '127.0.0.1',
    doc: 'Address to listen on; 0.0.0.0 makes Convoke reachable from other machines.',
  }),
  dataDir: setting<string>(folder, {
    variable: 'CONVOKE_DATA_DIR',
    fallback: () => resolve('data'),
    shown: './data',
    doc: 'Folder of the embedded database, its key and the admin socket.',
  }),
  databaseUrl: setting<string | undefined>(databaseUrl, {
    variable: 'DATABASE_URL',
    fallback: undefined,
    secret: true,
    doc: 'PostgreSQL 15 or later, postgres://user:password@host:5432/name; without it the embedded database is used.',
  }),
  databaseDirectUrl: setting<string | undefined>(databaseUrl, {
    variable: 'CONVOKE_DATABASE_DIRECT_URL',
    fallback: undefined,
    secret: true,
    doc: 'The same database without the pooler in between, where LISTEN works.',
  }),
  databasePool: setting<number>(wholeNumber(2, 200), {
    variable: 'CONVOKE_DATABASE_POOL',
    fallback: 10,
    doc: 'Connections to PostgreSQL that one process may hold, besides one for leases and one that listens.',
  }),
  databaseDeadlineMs: setting<number>(wholeNumber(1_000, 600_000), {
    variable: 'CONVOKE_DATABASE_DEADLINE_MS',
    fallback: 15_000,
    doc: 'Milliseconds after which a statement without an answer fails and its connection to PostgreSQL is given up.',
  }),
  masterKey: setting<string | undefined>(keyring, {
    variable: 'CONVOKE_MASTER_KEY',
    fallback: undefined,
    secret: true,
    doc: 'Keyring that encrypts stored secrets, id:base64 of 32 bytes, several parted by commas, the first encrypts. Needed with DATABASE_URL; embedded makes one in the data folder.',
  }),
  nodeId: setting<string>(text, {
    variable: 'CONVOKE_NODE_ID',
    fallback: hostname,
    shown: 'name of the machine',
    doc: 'Name of this process among several on one database; stable across restarts.',
  }),
  maxChannelsPerNode: setting<number>(wholeNumber(0, 10_000), {
    variable: 'CONVOKE_MAX_CHANNELS_PER_NODE',
    fallback: 150,
    doc: 'Most channels that one node drives; 0 lets it drive none.',
  }),
  leaseTtlMs: setting<number>(wholeNumber(1_000, 600_000), {
    variable: 'CONVOKE_LEASE_TTL_MS',
    fallback: 30_000,
    doc: 'Milliseconds for which a node holds what it drives without renewing; the same on all nodes.',
  }),
  leaseRenewMs: setting<number | undefined>(wholeNumber(50, 600_000), {
    variable: 'CONVOKE_LEASE_RENEW_MS',
    fallback: undefined,
    shown: 'a third of the lease',
    doc: 'Milliseconds from one renewal of the leases to the next; a node unseen for two of them counts as gone.',
  }),
  leaseMarginMs: setting<number | undefined>(wholeNumber(50, 600_000), {
    variable: 'CONVOKE_LEASE_MARGIN_MS',
    fallback: undefined,
    shown: 'a sixth of the lease',
    doc: 'Milliseconds before the end of a lease at which its holder closes its connections by itself.',
  }),
  leaseGraceMs: setting<number | undefined>(wholeNumber(0, 600_000), {
    variable: 'CONVOKE_LEASE_GRACE_MS',
    fallback: undefined,
    shown: 'a fifteenth of the lease',
    doc: 'Milliseconds after the end of a lease before another node takes over; one that was given back is free at once.',
  }),
  metricsToken: setting<string | undefined>(token, {
    variable: 'CONVOKE_METRICS_TOKEN',
    fallback: undefined,
    secret: true,
    doc: 'Token of at least 16 characters with which Prometheus reads /metrics, as Authorization: Bearer <token>; without it there is no such page.',
  }),
  publicUrl: setting<string | undefined>(publicUrl, {
    variable: 'CONVOKE_PUBLIC_URL',
    fallback: undefined,
    doc: 'Address under which people reach Convoke, https://convoke.example.org; https makes the login cookie Secure.',
  }),
  smtpUrl: setting<string | undefined>(smtpUrl, {
    variable: 'CONVOKE_SMTP_URL',
    fallback: undefined,
    secret: true,
    doc: 'Mail server, smtp://user:password@host:587 (changes to TLS) or smtps://…:465; without it no mail leaves.',
  }),
  mailFrom: setting<string | undefined>(mailFrom, {
    variable: 'CONVOKE_MAIL_FROM',
    fallback: undefined,
    doc: 'Sender of our mails: Convoke <convoke@example.org>. Needed with CONVOKE_SMTP_URL, as is CONVOKE_PUBLIC_URL.',
  }),
  trustedProxies: setting<number>(wholeNumber(0, 10), {
    variable: 'CONVOKE_TRUSTED_PROXIES',
    fallback: 0,
    doc: 'How many proxies of your own stand before Convoke; so many entries of X-Forwarded-For, from the right, are believed. With 0 the header counts for nothing.',
  }),
  logLevel: setting<LogLevel>(oneOf(LOG_LEVELS), {
    variable: 'CONVOKE_LOG_LEVEL',
    fallback: 'info',
    doc: `How much is logged: ${LOG_LEVELS.join(', ')}.`,
  }),
  sandbox: setting<boolean>(flag, {
    variable: 'CONVOKE_SANDBOX',
    fallback: false,
    shown: '0',
    doc: '1 allows another WhatsApp server than the real one, for the simulator and tests.',
  }),
  whatsappUrl: setting<string | undefined>(socketUrl, {
    variable: 'CONVOKE_WHATSAPP_URL',
    fallback: undefined,
    doc: 'WebSocket address of the simulated WhatsApp; only with CONVOKE_SANDBOX=1.',
  }),
  whatsappRootKey: setting<string | undefined>(hexKey, {
    variable: 'CONVOKE_WHATSAPP_ROOT_KEY',
    fallback: undefined,
    doc: 'Public root key of the simulated WhatsApp, 32 bytes in hex; only with CONVOKE_SANDBOX=1.',
  }),
  pacing: setting<boolean>(flag, {
    variable: 'CONVOKE_PACING',
    fallback: true,
    shown: '1',
    doc: '0 sends as fast as it goes instead of at the pace that protects a number; only with CONVOKE_SANDBOX=1.',
  }),
  simulatorPort: setting<number>(wholeNumber(0, 65_535), {
    variable: 'CONVOKE_SIMULATOR_PORT',
    fallback: 3100,
    doc: 'Port of the simulator page of `npm run demo`; 0 takes a free one.',
  }),
};

type Settings = typeof settings;
type ValueOf<S> = S extends Setting<infer T> ? T : never;

/** What the variables say, as plain values. Read once, by main.ts and cli.ts. */
export type Config = { readonly [Key in keyof Settings]: ValueOf<Settings[Key]> };

export type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Reads and checks all variables; an empty one counts as not set.
 * Throws StartError for an unknown `CONVOKE_*` and for every wrong value, with the remedy.
 */
export function readConfig(env: Environment): Config {
  refuseUnknown(env);
  const entries = Object.entries(settings as Record<string, Setting<unknown>>).map(([key, entry]) => {
    const given = env[entry.variable]?.trim() ?? '';
    return [key, given === '' ? entry.fallback() : parsed(entry, given)];
  });
  const config = Object.fromEntries(entries) as Config;
  refuseForeignWhatsApp(config);
  refuseUnpaced(config);
  refuseUnfitLease(config);
  refuseHalfMail(config);
  return config;
}

function setting<T>(parse: (text: string) => T, names: Names<T>): Setting<T> {
  const { fallback, shown, secret, variable, doc } = names;
  const value = typeof fallback === 'function' ? (fallback as () => T) : () => fallback;
  const word = typeof fallback === 'function' || fallback === undefined ? '' : String(fallback);
  return { variable, parse, fallback: value, shown: shown ?? word, doc, secret: secret === true };
}

/** A parser refuses with a sentence that follows the name of the variable, and never repeats a secret. */
class Refused extends Error {}

function parsed(entry: Setting<unknown>, given: string): unknown {
  try {
    return entry.parse(given);
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    const shown = entry.secret ? '' : ` (it is "${given}")`;
    throw new StartError(`${entry.variable} ${error.message}${shown}.`);
  }
}

function refuseUnknown(env: Environment): void {
  const known = Object.values(settings).map(entry => entry.variable);
  for (const name of Object.keys(env)) {
    if (!name.startsWith('CONVOKE_') || known.includes(name)) continue;
    throw new StartError(
      `There is no setting ${name}. Did you mean ${nearest(name, known)}? docs/CONFIG.md lists all of them.`,
    );
  }
}

function refuseForeignWhatsApp(config: Config): void {
  if (config.sandbox || (config.whatsappUrl === undefined && config.whatsappRootKey === undefined)) return;
  const { variable } = config.whatsappUrl === undefined ? settings.whatsappRootKey : settings.whatsappUrl;
  throw new StartError(
    `${variable} points Convoke at another server than WhatsApp, which is refused outside a sandbox. ` +
      'Remove it, or set CONVOKE_SANDBOX=1 if you mean the simulator.',
  );
}

function refuseUnpaced(config: Config): void {
  if (config.pacing || config.sandbox) return;
  throw new StartError(
    `${settings.pacing.variable}=0 is for the simulator: real numbers get restricted when they send like a machine. ` +
      'Remove it; how fast a channel sends is set at the channel.',
  );
}

/** How long leases last, from the settings or as shares of the time to live. In milliseconds. */
export type LeaseTimes = {
  readonly ttlMs: number;
  readonly renewMs: number;
  /** How long before the database's expiry the holder stops by itself. */
  readonly marginMs: number;
  /** How long after the database's expiry another holder waits. */
  readonly graceMs: number;
};

type LeaseSettings = Pick<Config, 'leaseTtlMs' | 'leaseRenewMs' | 'leaseMarginMs' | 'leaseGraceMs'>;

export function leaseTimesOf(config: LeaseSettings): LeaseTimes {
  const ttlMs = config.leaseTtlMs;
  return {
    ttlMs,
    renewMs: config.leaseRenewMs ?? Math.round(ttlMs / 3),
    marginMs: config.leaseMarginMs ?? Math.round(ttlMs / 6),
    graceMs: config.leaseGraceMs ?? Math.round(ttlMs / 15),
  };
}

/** One renewal may fail, and the next must still be in time. */
function refuseUnfitLease(config: LeaseSettings): void {
  const { ttlMs, renewMs, marginMs } = leaseTimesOf(config);
  if (2 * renewMs + marginMs <= ttlMs) return;
  const { leaseTtlMs, leaseRenewMs, leaseMarginMs } = settings;
  throw new StartError(
    `Twice ${leaseRenewMs.variable} (${renewMs}) and ${leaseMarginMs.variable} (${marginMs}) make more than ` +
      `${leaseTtlMs.variable} (${ttlMs}), so that one failed renewal would cost every connection. ` +
      'Renew more often, or let leases last longer.',
  );
}

/** A link in a mail must never be made of what a request says about our address. */
function refuseHalfMail({ smtpUrl, mailFrom, publicUrl, sandbox }: Config): void {
  if (smtpUrl === undefined) return;
  const missing =
    mailFrom === undefined ? settings.mailFrom : publicUrl || sandbox ? undefined : settings.publicUrl;
  if (missing) throw new StartError(`${settings.smtpUrl.variable} needs ${missing.variable}: ${missing.doc}`);
}

/** The known word with the fewest letters to change. */
export function nearest(word: string, known: readonly string[]): string {
  const ranked = known.map(name => ({ name, cost: editDistance(word, name) }));
  ranked.sort((a, b) => a.cost - b.cost);
  return ranked[0]?.name ?? '';
}

function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let i = 1; i <= a.length; i++) {
    const above = row;
    row = [i];
    for (let j = 1; j <= b.length; j++) {
      const change = (above[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      row.push(Math.min(change, (above[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1));
    }
  }
  return row[b.length] ?? 0;
}

function text(given: string): string {
  return given;
}

function token(given: string): string {
  if (given.length < 16 || /\s/.test(given))
    throw new Refused('must be at least 16 characters without spaces');
  return given;
}

function folder(given: string): string {
  return resolve(given);
}

function wholeNumber(least: number, most: number): (given: string) => number {
  return given => {
    const value = Number(given);
    if (!/^\d+$/.test(given) || value < least || value > most) {
      throw new Refused(`must be a whole number from ${least} to ${most}`);
    }
    return value;
  };
}

function oneOf<T extends string>(words: readonly T[]): (given: string) => T {
  return given => {
    const found = words.find(word => word === given);
    if (found === undefined) throw new Refused(`must be one of ${words.join(', ')}`);
    return found;
  };
}

function flag(given: string): boolean {
  if (given === '1' || given === 'true') return true;
  if (given === '0' || given === 'false') return false;
  throw new Refused('must be 1 or 0');
}

function databaseUrl(given: string): string {
  urlOf(given, ['postgres:', 'postgresql:'], 'must look like postgres://user:password@host:5432/name');
  return given;
}

function smtpUrl(given: string): string {
  const url = urlOf(given, ['smtp:', 'smtps:'], 'must look like smtp://user:password@mail.example.org:587');
  if (url.hostname === '') throw new Refused('names no mail server');
  return given;
}

function mailFrom(given: string): string {
  if (!/^(?:[^\s<>@]+@[^\s<>@]+|[^<>\r\n"]+ <[^\s<>@]+@[^\s<>@]+>)$/.test(given))
    throw new Refused('must be an address, or a name and an address: Convoke <convoke@example.org>');
  return given;
}

function publicUrl(given: string): string {
  return urlOf(given, ['http:', 'https:'], 'must look like https://convoke.example.org').origin;
}

function socketUrl(given: string): string {
  return urlOf(given, ['ws:', 'wss:'], 'must look like ws://127.0.0.1:3100/ws').href;
}

function urlOf(given: string, protocols: string[], complaint: string): URL {
  if (!URL.canParse(given)) throw new Refused(complaint);
  const url = new URL(given);
  if (!protocols.includes(url.protocol)) throw new Refused(complaint);
  return url;
}

function hexKey(given: string): string {
  if (!/^[0-9a-f]{64}$/i.test(given)) throw new Refused('must be 64 hex digits');
  return given.toLowerCase();
}

function keyring(given: string): string {
  const complaint =
    'must be id:key or several parted by commas, each key 32 bytes in base64; make one with: openssl rand -base64 32';
  const ids = given.split(',').map(part => {
    const match = /^([A-Za-z0-9_-]{1,32}):([A-Za-z0-9+/_-]{43}=?)$/.exec(part.trim());
    if (!match?.[1] || !match[2] || Buffer.from(match[2], 'base64').length !== 32)
      throw new Refused(complaint);
    return match[1];
  });
  if (new Set(ids).size !== ids.length) throw new Refused('names the same key id twice');
  return given;
}
