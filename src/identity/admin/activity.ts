import { type Author, INSTANCE, type NewFact, recordForInstance, type Tx } from '../../kernel/index.ts';
import type { SettingsChange } from './schema.ts';

/** What those who run the installation do; facts of the installation. Without an actor it was on the command line. */
type AdminFacts = {
  'admin.user_added': { username: string };
  'admin.user_promoted': Record<string, never>;
  'admin.user_demoted': Record<string, never>;
  'admin.user_locked': Record<string, never>;
  'admin.user_unlocked': Record<string, never>;
  'admin.user_deleted': Record<string, never>;
  'admin.link_made': Record<string, never>;
  'admin.link_mailed': Record<string, never>;
  'admin.logins_ended': Record<string, never>;
  'admin.all_logins_ended': { epoch: number };
  'admin.settings_changed': { before: SettingsChange; after: SettingsChange };
  'admin.maintenance_began': { note: string };
  'admin.maintenance_ended': Record<string, never>;
  'admin.workspace_deletion_asked': { slug: string };
  'admin.workspace_kept': { slug: string };
};

/** `id` is that of a user or a workspace; without one the fact is about the installation. */
export function recordAdmin<T extends keyof AdminFacts>(
  tx: Tx,
  by: Author,
  type: T,
  payload: AdminFacts[T],
  id = INSTANCE,
): Promise<void> {
  return recordForInstance(tx, by, {
    type,
    subject: { type: subjectOf(type, id), id },
    payload,
  } satisfies NewFact);
}

function subjectOf(type: string, id: string): string {
  if (id === INSTANCE) return 'installation';
  return type.startsWith('admin.workspace_') ? 'workspace' : 'user';
}
