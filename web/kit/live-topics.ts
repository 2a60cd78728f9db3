/** First parts of query keys after the workspace: what can become stale. */
export const roots = [
  'channels',
  'groups',
  'pairing',
  'messages',
  'reminders',
  'runs',
  'contacts',
  'sending',
  'parking',
  'members',
  'workspace',
  'keys',
] as const;
export type Root = (typeof roots)[number];

const touched: Record<string, readonly Root[]> = {
  channel: ['channels', 'groups', 'pairing', 'parking'],
  pairing: ['pairing', 'channels'],
  group: ['groups', 'channels'],
  message: ['messages', 'runs'],
  delivery: ['messages', 'runs'],
  receipt: ['messages', 'runs'],
  reminder: ['reminders', 'runs', 'messages'],
  run: ['runs', 'reminders'],
  contact: ['contacts'],
  // The rules of a workspace, and whether it is parked.
  workspace: ['sending', 'parking', 'messages', 'workspace'],
  user: ['members'],
  invitation: ['members'],
  api_key: ['keys'],
  parking: ['parking', 'messages'],
};

/** What a live event makes stale. A word that this version does not know makes everything stale. */
export function touchedBy(data: string): readonly Root[] {
  const word = subjectOf(data);
  if (word === undefined) return roots;
  return touched[word] ?? touched[word.replace(/ies$/, 'y').replace(/s$/, '')] ?? roots;
}

function subjectOf(data: string): string | undefined {
  try {
    const event = JSON.parse(data) as { topic?: unknown; subject?: { type?: unknown } };
    const word = event.subject?.type ?? event.topic;
    return typeof word === 'string' ? word : undefined;
  } catch {
    return undefined;
  }
}
