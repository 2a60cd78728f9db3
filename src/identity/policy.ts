import type { Permission } from '../kernel/index.ts';
import type { KeyScope, Role } from './schema.ts';

const SEE: readonly Permission[] = [
  'workspace.read',
  'channels.read',
  'messages.read',
  'reminders.read',
  'contacts.read',
  'activity.read',
  'members.read',
];

/** Whoever writes to people may note that one of them wants no more; only those in charge may take it back. */
const WRITE: readonly Permission[] = ['messages.send', 'contacts.opt_out'];

const ALL: readonly Permission[] = [
  ...SEE,
  ...WRITE,
  'channels.manage',
  'reminders.manage',
  'contacts.manage',
  'workspace.manage',
  'members.manage',
  'keys.manage',
  'audit.read',
];

/** What each role may do in its workspace. */
const table: Record<Role, readonly Permission[]> = {
  owner: [...ALL, 'workspace.delete'],
  admin: ALL,
  host: [...SEE, ...WRITE, 'reminders.manage'],
  agent: [...SEE, ...WRITE],
  viewer: SEE,
  door_staff: ['workspace.read'],
};

export function permissionsOf(role: Role): readonly Permission[] {
  return table[role];
}

export function may(role: Role, permission: Permission): boolean {
  return table[role].includes(permission);
}

/** Whether somebody may give this role, or change who has it: owners all of them, admins all but the owner's. */
export function mayGive(mine: Role, role: Role): boolean {
  return mine === 'owner' || (mine === 'admin' && role !== 'owner');
}

const byScope: Record<KeyScope, readonly Permission[]> = {
  read: SEE.filter(permission => permission !== 'members.read'),
  send: ['workspace.read', ...WRITE],
  manage: ['workspace.read', 'channels.manage', 'reminders.manage', 'contacts.manage'],
};

/** What can be held to some channels. The rest shows or changes something of all of them. */
const ON_SOME_CHANNELS: readonly Permission[] = [
  'workspace.read',
  'channels.read',
  'messages.read',
  'messages.send',
];

/** An API key never gets at members, keys and the workspace itself, whatever its scopes. */
export function keyMay(
  key: { scopes: readonly KeyScope[]; someChannels: boolean },
  permission: Permission,
): boolean {
  if (key.someChannels && !ON_SOME_CHANNELS.includes(permission)) return false;
  return key.scopes.some(scope => byScope[scope].includes(permission));
}
