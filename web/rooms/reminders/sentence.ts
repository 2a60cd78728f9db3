import { wallWords, zoneWords } from '../../kit/time.ts';

const NAMED = 3;

type Plan = {
  /** The schedule in words, as the server says it. */
  when: string | undefined;
  /** The next occurrence of a repeated one. */
  next: string | undefined;
  /** Named where it differs from the reader's. */
  zone: string | undefined;
  names: string[];
};

/** The whole reminder in one plain sentence: "Every Monday at 08:00 to 3A and 3B, next on 24 November 2026". */
export function sentenceOf({ when, next, zone, names }: Plan): string {
  const what = when ?? 'At a time to be chosen';
  const where = zone === undefined || what.includes(zone) ? '' : ` (${zoneWords(zone)})`;
  const coming = next === undefined ? '' : `, next on ${wallWords(next)}`;
  return `${what.replace(/\.$/, '')}${where} to ${namesTogether(names)}${coming}.`;
}

/** "3A, 3B and 4 others" */
export function namesTogether(names: string[]): string {
  if (names.length === 0) return 'nobody yet';
  const shown = names.length > NAMED ? names.slice(0, NAMED - 1) : names;
  const rest = names.length - shown.length;
  const parts = rest > 0 ? [...shown, `${rest} others`] : shown;
  return new Intl.ListFormat('en-GB', { type: 'conjunction' }).format(parts);
}
