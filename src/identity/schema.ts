import { z } from 'zod';
import { Id, Instant } from '../kernel/index.ts';

export const Username = z
  .string()
  .trim()
  .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{1,63}$/, 'Use 2 to 64 letters, digits, dots, dashes or underscores.');
export const Password = z
  .string()
  .min(10, 'Use at least 10 characters.')
  .max(256, 'Use at most 256 characters.');

export const LoginBody = z.strictObject({
  username: z.string().min(1).max(200),
  password: z.string().min(1).max(256),
});
export const SetupBody = z.strictObject({ token: z.string().min(1).max(100), password: Password });

export const Role = z.enum(['owner', 'admin', 'agent', 'host', 'door_staff', 'viewer']);
export type Role = z.output<typeof Role>;

export const Me = z.object({
  user: z.object({
    id: Id,
    username: z.string().nullable(),
    email: z.string().nullable().describe('Proven to be theirs'),
    name: z.string(),
    is_admin: z.boolean().describe('May use the console of the whole installation'),
  }),
  workspaces: z.array(
    z.object({
      id: Id,
      slug: z.string(),
      name: z.string(),
      role: Role,
      permissions: z.array(z.string()),
      deletion_due_at: Instant.nullable().describe(
        'Set when it is to be deleted; only its owners see it then',
      ),
    }),
  ),
  /** What the web app may show only in this installation: a sandbox has virtual phones instead of real ones. */
  instance: z.object({
    version: z.string(),
    sandbox: z.boolean(),
    virtual_phones_url: z.string().nullable().describe('Page of the virtual phones, in a sandbox'),
  }),
});
export type Me = z.output<typeof Me>;
