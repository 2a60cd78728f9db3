import type { KeyScope } from './api.ts';

export const keyScopes: Record<KeyScope, { word: string; means: string }> = {
  read: { word: 'Read', means: 'Sees channels, messages, reminders and contacts' },
  send: { word: 'Send', means: 'Writes to people and groups' },
  manage: { word: 'Manage', means: 'Changes channels, reminders and contacts' },
};

export const scopeNames = Object.keys(keyScopes) as KeyScope[];

export const lifetimes = [
  { value: '30', label: '30 days' },
  { value: '90', label: '90 days' },
  { value: '365', label: 'A year' },
  { value: '', label: 'Until it is revoked' },
];

/** The instant at which a key of so many days ends; undefined for one that does not. */
export function endOf(days: string, now: number): string | undefined {
  return days === '' ? undefined : new Date(now + Number(days) * 86_400_000).toISOString();
}
