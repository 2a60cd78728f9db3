import { describe, expect, it } from 'vitest';
import { may, permissionsOf } from './policy.ts';
import { Role } from './schema.ts';

describe('roles', () => {
  it.each([
    ['owner', 'channels.manage', true],
    ['admin', 'reminders.manage', true],
    ['host', 'reminders.manage', true],
    ['host', 'channels.manage', false],
    ['agent', 'messages.send', true],
    ['agent', 'reminders.manage', false],
    ['agent', 'contacts.opt_out', true],
    ['host', 'contacts.manage', false],
    ['admin', 'contacts.manage', true],
    ['viewer', 'activity.read', true],
    ['viewer', 'messages.send', false],
    ['door_staff', 'workspace.read', true],
    ['door_staff', 'messages.read', false],
  ] as const)('%s: %s is %s', (role, permission, allowed) => {
    expect(may(role, permission)).toBe(allowed);
  });

  it('that may only look may change nothing', () => {
    expect(permissionsOf('viewer').filter(permission => !permission.endsWith('.read'))).toEqual([]);
  });

  it('all know their own workspace', () => {
    expect(Role.options.every(role => may(role, 'workspace.read'))).toBe(true);
  });
});
