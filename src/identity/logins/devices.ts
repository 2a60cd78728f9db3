import type { Kernel, Tx } from '../../kernel/index.ts';
import { aliveLogins, type OpenLogin, type Visitor } from './logins.ts';
import { newToken, tokenHash } from './tokens.ts';

const MOST_DEVICES = 20;

/**
 * Remembers the browser as one that its user has signed in from, and returns the token of its device cookie. A browser
 * that brings a token of ours keeps it, also for several users; any other gets one drawn here.
 */
export async function knowDevice(
  tx: Tx,
  kernel: Kernel,
  userId: string,
  { device }: Visitor,
): Promise<string> {
  const now = kernel.clock.now();
  const known = device !== undefined && (await isOurs(tx, device));
  const token = known ? device : newToken();
  await tx
    .insertInto('known_devices')
    .values({ token_hash: tokenHash(token), user_id: userId, created_at: now, seen_at: now })
    .onConflict(conflict => conflict.columns(['token_hash', 'user_id']).doUpdateSet({ seen_at: now }))
    .execute();
  await forgetOldest(tx, userId);
  return token;
}

/** Whether this user has signed in from this browser before. */
export async function isKnownDevice(tx: Tx, userId: string, device: string | undefined): Promise<boolean> {
  if (device === undefined) return false;
  const found = await tx
    .selectFrom('known_devices')
    .select('user_id')
    .where('token_hash', '=', tokenHash(device))
    .where('user_id', '=', userId)
    .executeTakeFirst();
  return found !== undefined;
}

async function isOurs(tx: Tx, device: string): Promise<boolean> {
  const found = await tx
    .selectFrom('known_devices')
    .select('token_hash')
    .where('token_hash', '=', tokenHash(device))
    .executeTakeFirst();
  return found !== undefined;
}

async function forgetOldest(tx: Tx, userId: string): Promise<void> {
  await tx
    .deleteFrom('known_devices')
    .where('user_id', '=', userId)
    .where('token_hash', 'not in', where =>
      where
        .selectFrom('known_devices')
        .select('token_hash')
        .where('user_id', '=', userId)
        .orderBy('seen_at', 'desc')
        .limit(MOST_DEVICES),
    )
    .execute();
}

/** The logins of a user that count, the one seen last first. */
export async function listLogins(kernel: Kernel, current: OpenLogin) {
  const rows = await kernel.database.inEngine('identity.logins', tx =>
    aliveLogins(tx, kernel.clock.now())
      .select(['l.id', 'l.kind', 'l.address', 'l.user_agent', 'l.created_at', 'l.seen_at', 'l.expires_at'])
      .where('l.user_id', '=', current.userId)
      .orderBy('l.seen_at', 'desc')
      .limit(100)
      .execute(),
  );
  return rows.map(row => ({
    id: row.id,
    kind: row.kind,
    device: deviceName(row.user_agent),
    address: row.address,
    created_at: row.created_at.toISOString(),
    seen_at: row.seen_at.toISOString(),
    expires_at: row.expires_at.toISOString(),
    current: row.id === current.id,
  }));
}

/** In this order, since most browsers also claim to be one of the later ones. */
const BROWSERS: [RegExp, string][] = [
  [/\bEdg(?:e|A|iOS)?\//, 'Edge'],
  [/\bOPR\//, 'Opera'],
  [/\bSamsungBrowser\//, 'Samsung Internet'],
  [/\b(?:Firefox|FxiOS)\//, 'Firefox'],
  [/\b(?:Chrome|CriOS)\//, 'Chrome'],
  [/\bSafari\//, 'Safari'],
];
const SYSTEMS: [RegExp, string][] = [
  [/\b(?:iPhone|iPad)\b/, 'iOS'],
  [/\bAndroid\b/, 'Android'],
  [/\bWindows\b/, 'Windows'],
  [/\bMac OS X\b|\bMacintosh\b/, 'macOS'],
  [/\bCrOS\b/, 'ChromeOS'],
  [/\bLinux\b/, 'Linux'],
];

/** "Firefox on Linux", as far as the device has said it; null when it has said nothing that we know. */
export function deviceName(userAgent: string | null): string | null {
  if (userAgent === null) return null;
  const named = (list: [RegExp, string][]) => list.find(([pattern]) => pattern.test(userAgent))?.[1];
  const [browser, system] = [named(BROWSERS), named(SYSTEMS)];
  if (browser && system) return `${browser} on ${system}`;
  return browser ?? system ?? /^([A-Za-z][\w .-]{1,30})\//.exec(userAgent)?.[1] ?? null;
}
