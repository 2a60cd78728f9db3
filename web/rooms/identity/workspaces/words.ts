import type { Member, Role } from './api.ts';

/** What people call the roles, and what each is for. In the order in which they are offered. */
export const roles: Record<Role, { word: string; means: string }> = {
  owner: { word: 'Owner', means: 'May do everything, also delete the workspace' },
  admin: { word: 'Admin', means: 'Manages numbers, members, reminders and rules' },
  host: { word: 'Host', means: 'Plans reminders and sends messages' },
  agent: { word: 'Agent', means: 'Sends and answers messages' },
  door_staff: { word: 'Door staff', means: 'Only what is needed at the door' },
  viewer: { word: 'Viewer', means: 'Sees everything, changes nothing' },
};

const roleNames = Object.keys(roles) as Role[];

/** The roles that somebody with this role may give. */
export function givenBy(mine: string): Role[] {
  return mine === 'owner' ? roleNames : roleNames.filter(role => role !== 'owner');
}

export function memberName({ user }: Pick<Member, 'user'>): string {
  return user.name || user.username || user.email || 'Somebody';
}
