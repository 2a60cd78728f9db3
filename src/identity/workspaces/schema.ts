import { z } from 'zod';
import { Id, Instant } from '../../kernel/index.ts';
import { Email, SignUpCompletion } from '../people/schema.ts';
import { Role, Username } from '../schema.ts';

const Name = z.string().trim().min(1, 'Give it a name.').max(80, 'Use at most 80 characters.');

const Slug = z
  .string()
  .trim()
  .regex(/^[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?$/, 'Use up to 40 small letters, digits and dashes.')
  .describe('The short name, as it stands in addresses');

export const Workspace = z.object({
  id: Id,
  slug: z.string(),
  name: z.string(),
  created_at: Instant,
  deletion_due_at: Instant.nullable().describe('When it is deleted for good; until then it can be kept'),
});
export type Workspace = z.output<typeof Workspace>;

export const NewWorkspace = z.strictObject({
  name: Name,
  slug: Slug.optional().describe('Made of the name when it is left out'),
});
export const WorkspaceChange = z.strictObject({ name: Name.optional(), slug: Slug.optional() });
export const WorkspaceDeletion = z.strictObject({
  slug: z.string().max(200).describe('The short name of the workspace, typed once more'),
});

export const Member = z.object({
  user: z.object({ id: Id, username: z.string().nullable(), email: z.string().nullable(), name: z.string() }),
  role: Role,
  created_at: Instant,
});
export type Member = z.output<typeof Member>;
export const MemberList = z.object({ data: z.array(Member) });
export const RoleChange = z.strictObject({ role: Role });

export const Invitation = z.object({
  id: Id,
  email: z.string().nullable().describe('Null: for whoever has the link'),
  role: Role,
  status: z.enum(['open', 'accepted', 'revoked', 'expired']),
  created_by: Id,
  created_at: Instant,
  expires_at: Instant,
});
export type Invitation = z.output<typeof Invitation>;
export const InvitationList = z.object({ data: z.array(Invitation) });
export const NewInvitation = z.strictObject({
  role: Role,
  email: Email.optional().describe(
    'Sends the link there, and only there; without it the answer has the link',
  ),
});
export const InvitationWithLink = Invitation.extend({
  link: z
    .string()
    .nullable()
    .describe('Shown once; opens the invitation for whoever has it. Null: it goes by mail alone'),
});

export const InvitationToken = z.strictObject({ token: z.string().min(1).max(100) });
export const InvitationView = z.object({
  workspace: z.object({ name: z.string() }),
  role: Role,
  invited_by: z.string(),
  email: z.string().nullable().describe('Where the link was sent; it becomes the address of a new account'),
  expires_at: Instant,
});
export type InvitationView = z.output<typeof InvitationView>;

/** An account of one's own, made on the way in. */
export const Joining = SignUpCompletion.extend({
  username: Username.optional().describe('Needed where the link did not come by mail'),
});
export type Joining = z.output<typeof Joining>;
