import type { LoggedFact } from './api.ts';

/** What can be looked at apart: the beginning of a fact's type, and what people call it. */
export type Kind = { value: string; label: string };

export const workspaceKinds: Kind[] = [
  { value: 'member.', label: 'Members' },
  { value: 'invitation.', label: 'Invitations' },
  { value: 'workspace.', label: 'Workspace' },
  { value: 'key.', label: 'API keys' },
  { value: 'channel.', label: 'Channels' },
  { value: 'reminder.', label: 'Reminders' },
  { value: 'message.', label: 'Messages' },
  { value: 'contact.', label: 'Contacts' },
  { value: 'sending.', label: 'Sending' },
];

export const installationKinds: Kind[] = [
  { value: 'admin.', label: 'What admins did' },
  { value: 'identity.', label: 'People and sign-ins' },
  { value: 'identity.sign_in_locked', label: 'Locked sign-ins' },
  { value: 'workspace.', label: 'Workspaces' },
];

const SUBJECTS: Record<string, string> = { identity: 'person' };

/** `member.role_changed` → `Member: role changed`. */
export function factWords(type: string): string {
  const [subject = '', what = ''] = type.split('.');
  const plain = (text: string) => text.replaceAll('_', ' ');
  return `${plain(SUBJECTS[subject] ?? subject).replace(/^./, letter => letter.toUpperCase())}: ${plain(what)}`;
}

export function actorWords({ actor }: LoggedFact): string {
  if (actor.name !== null) return actor.name;
  if (actor.kind === 'system') return 'Convoke';
  if (actor.kind === 'recipient') return 'A recipient';
  return actor.kind === 'api_key' ? 'An API key' : 'Somebody';
}

/** Of a change, each field that is another now, with what it was and what it is. */
export function changesOf(payload: unknown): { field: string; before: string; after: string }[] {
  const { before, after } = (payload ?? {}) as { before?: unknown; after?: unknown };
  if (!isFields(before) && !isFields(after)) return [];
  const [was, is] = [isFields(before) ? before : {}, isFields(after) ? after : {}];
  return [...new Set([...Object.keys(was), ...Object.keys(is)])]
    .map(field => ({
      field: field.replaceAll('_', ' '),
      before: shown(was[field]),
      after: shown(is[field]),
    }))
    .filter(({ before, after }) => before !== after);
}

function isFields(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function shown(value: unknown): string {
  if (value === undefined || value === null) return '–';
  return typeof value === 'string' ? value : JSON.stringify(value);
}
