import { z } from 'zod';
import { Id, Instant, PageQuery, pageOf } from '../../kernel/index.ts';
import { Username } from '../schema.ts';

const Search = z.string().trim().max(100).optional();

export const UserQuery = PageQuery.extend({
  search: Search.describe('Part of a username, e-mail address or name'),
});

export const AdminUser = z.object({
  id: Id,
  username: z.string().nullable(),
  email: z.string().nullable().describe('Proven to be theirs'),
  name: z.string(),
  is_admin: z.boolean(),
  has_password: z.boolean(),
  has_second_factor: z.boolean(),
  workspaces: z.number().int(),
  created_at: Instant,
  seen_at: Instant.nullable().describe('Last use of a login that still is one'),
  locked_at: Instant.nullable(),
});
export type AdminUser = z.output<typeof AdminUser>;
export const AdminUserPage = pageOf(AdminUser);

export const NewAdminUser = z.strictObject({ username: Username, is_admin: z.boolean().default(false) });

/** Where somebody chooses a password; shown once, and good once. */
export const UserLink = z.object({
  path: z.string().describe('To be put behind the address of this Convoke'),
  expires_at: Instant,
});
export const NewUserAnswer = z.object({ user: AdminUser, link: UserLink });

export const UserChange = z.strictObject({
  is_admin: z.boolean().optional(),
  locked: z.boolean().optional().describe('A locked user is signed out everywhere and cannot sign in'),
});

export const UserDeletion = z.strictObject({
  confirm: z.string().max(300).describe('The username, or without one the e-mail address, typed once more'),
});

export const WorkspaceQuery = PageQuery.extend({ search: Search.describe('Part of a name or short name') });

export const AdminWorkspace = z.object({
  id: Id,
  slug: z.string(),
  name: z.string(),
  created_at: Instant,
  deletion_due_at: Instant.nullable(),
  members: z.number().int(),
  facts: z.number().int().describe('How much has happened in it'),
});
export type AdminWorkspace = z.output<typeof AdminWorkspace>;
export const AdminWorkspacePage = pageOf(AdminWorkspace);

export const WorkspaceClosure = z.strictObject({
  slug: z.string().max(200).describe('The short name, typed once more'),
});

export const SignUp = z.enum(['open', 'invitation', 'closed']);

const Terms = z.strictObject({
  version: z.string().trim().min(1).max(50),
  url: z.url({ protocol: /^https?$/, error: 'Use a web address that begins with https://.' }).max(500),
});

export const Settings = z.object({
  sign_up: SignUp.describe('Who may make an account: everybody, who was invited, or nobody'),
  terms: Terms.nullable().describe('What people agree to when they make an account'),
  maintenance: z.object({ since: Instant, note: z.string() }).nullable(),
});
export type Settings = z.output<typeof Settings>;

export const SettingsChange = z.strictObject({
  sign_up: SignUp.optional(),
  terms: Terms.nullable().optional(),
});
export type SettingsChange = z.output<typeof SettingsChange>;

export const Note = z.string().trim().max(500, 'Use at most 500 characters.');
export const MaintenanceBegin = z.strictObject({ note: Note.default('') });
