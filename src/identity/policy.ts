import type { Permission } from '../kernel/index.ts';
import type { Role } from './schema.ts';

const SEE: readonly Permission[] = [
  'workspace.read',
  'channels.read',
  'messages.read',
  'reminders.read',
  'activity.read',
];

const ALL: readonly Permission[] = [...SEE, 'channels.manage', 'messages.send', 'reminders.manage'];

/** What each role may do in its workspace. */
const table: Record<Role, readonly Permission[]> = {
  owner: ALL,
  admin: ALL,
  host: [...SEE, 'messages.send', 'reminders.manage'],
  agent: [...SEE, 'messages.send'],
  viewer: SEE,
  door_staff: ['workspace.read'],
};

export function permissionsOf(role: Role): readonly Permission[] {
  return table[role];
}

export function may(role: Role, permission: Permission): boolean {
  return table[role].includes(permission);
}
