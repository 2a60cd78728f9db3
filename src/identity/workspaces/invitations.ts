import type { ExpressionBuilder } from 'kysely';
import {
  AppError,
  addJob,
  invalidField,
  type Kernel,
  mintScope,
  newId,
  notFound,
  record,
  type Scope,
  type Tables,
  type Tx,
} from '../../kernel/index.ts';
import { refuseGuessable } from '../defence/breached.ts';
import { hashPassword } from '../defence/passwords.ts';
import type { Visitor } from '../logins/logins.ts';
import { type NewLogin, openLogin } from '../logins/opening.ts';
import { newToken, tokenHash } from '../logins/tokens.ts';
import { signUpMode } from '../people/instance.ts';
import { spendLink } from '../people/limits.ts';
import { insertPerson } from '../people/sign-up.ts';
import type { Role } from '../schema.ts';
import { actorId, ownRole, refuseRole } from './members.ts';
import type { Invitation, InvitationView, Joining } from './schema.ts';
import type { Person } from './workspaces.ts';

const LASTS_MS = 7 * 86_400_000;
const MOST_OPEN = 500;

const OVER = 'This invitation was used, taken back, or is older than a week. Ask for a new one.';

/** Of the newest 500. */
export function listInvitations(scope: Scope): Promise<Invitation[]> {
  return scope.kernel.database.inEngine('identity.invitations', async tx => {
    const rows = await tx
      .selectFrom('invitations')
      .selectAll()
      .where('workspace_id', '=', scope.workspaceId)
      .orderBy('id', 'desc')
      .limit(MOST_OPEN)
      .execute();
    return rows.map(row => shown(row, scope.kernel.clock.now()));
  });
}

type Wanted = { role: Role; email?: string | undefined };

/**
 * An invitation for whoever has its token, which is given back once; or for an address, and then the token goes by
 * mail alone, so that having it proves the address. Throws 422 for a role beyond one's own.
 */
export function invite(scope: Scope, wanted: Wanted): Promise<Invitation & { token: string | null }> {
  return scope.kernel.database.inEngine('identity.invite', async tx => {
    refuseRole(await ownRole(tx, scope), wanted.role);
    const token = newToken();
    const now = scope.kernel.clock.now();
    const row = await tx
      .insertInto('invitations')
      .values({
        workspace_id: scope.workspaceId,
        id: newId(),
        email: wanted.email ?? null,
        role: wanted.role,
        token_hash: tokenHash(token),
        created_by: actorId(scope) ?? scope.workspaceId,
        created_at: now,
        expires_at: new Date(now.getTime() + LASTS_MS),
      })
      .returningAll()
      .executeTakeFirstOrThrow();
    await record(tx, scope, factOf(row.id, 'created', { role: wanted.role }));
    if (wanted.email === undefined) return { ...shown(row, now), token };
    const payload = { workspace_id: scope.workspaceId, id: row.id };
    await addJob(tx, 'identity.invitation_mail', payload);
    return { ...shown(row, now), token: null };
  });
}

/** Takes an open invitation back. Throws 404 when there is none. */
export function revokeInvitation(scope: Scope, id: string): Promise<void> {
  return scope.kernel.database.inEngine('identity.revoke_invitation', async tx => {
    const now = scope.kernel.clock.now();
    const row = await tx
      .updateTable('invitations')
      .set({ revoked_at: now })
      .where('workspace_id', '=', scope.workspaceId)
      .where('id', '=', id)
      .where('accepted_at', 'is', null)
      .where('revoked_at', 'is', null)
      .returning('id')
      .executeTakeFirst();
    if (!row) throw notFound();
    await record(tx, scope, factOf(id, 'revoked', {}));
  });
}

/** What the holder of the link is asked to join. Throws 422 on `token` when it is over. */
export function lookAtInvitation(kernel: Kernel, token: string): Promise<InvitationView> {
  return kernel.database.inEngine('identity.look_at_invitation', async tx => {
    const found = await tx
      .selectFrom('invitations as i')
      .innerJoin('workspaces as w', 'w.id', 'i.workspace_id')
      .leftJoin('users as u', 'u.id', 'i.created_by')
      .select(['w.name as workspace', 'i.role', 'i.email', 'i.expires_at', 'u.name', 'u.username'])
      .where('i.token_hash', '=', tokenHash(token))
      .where('i.accepted_at', 'is', null)
      .where('i.revoked_at', 'is', null)
      .where('i.expires_at', '>', kernel.clock.now())
      .where('w.deletion_due_at', 'is', null)
      .executeTakeFirst();
    if (!found) throw invalidField('token', OVER);
    return {
      workspace: { name: found.workspace },
      role: found.role as Role,
      invited_by: found.name || found.username || '',
      email: found.email,
      expires_at: found.expires_at.toISOString(),
    };
  });
}

/** Joins as the person who is signed in. Of two who use one invitation at once, one joins. Throws 422, 409. */
export async function acceptInvitation(kernel: Kernel, by: Person, token: string): Promise<void> {
  await kernel.database.inEngine('identity.accept_invitation', tx => accept(tx, kernel, by, token));
}

/**
 * Makes an account and joins with it, or neither; where the link came by mail, with that address. Throws 422, 429, and
 * 403 where nobody may make an account.
 */
export async function joinAsNew(kernel: Kernel, given: Joining, visitor: Visitor): Promise<NewLogin> {
  await spendLink(kernel, visitor.address);
  const { email } = await lookAtInvitation(kernel, given.token);
  await refuseWhereClosed(kernel);
  const { username = null, name, password } = given;
  if (username === null && email === null)
    throw invalidField('username', 'Choose a username: with it you sign in.');
  await refuseGuessable(password, { username, email, name });
  const hash = await hashPassword(password);
  return kernel.database.inEngine('identity.join', async tx => {
    const userId = newId();
    await insertPerson(tx, kernel, { id: userId, email, hash, given, address: visitor.address });
    await accept(tx, kernel, { userId, address: visitor.address ?? '' }, given.token);
    return openLogin(tx, kernel, userId, visitor);
  });
}

async function refuseWhereClosed(kernel: Kernel): Promise<void> {
  if ((await signUpMode(kernel)) !== 'closed') return;
  throw new AppError(
    'forbidden',
    'Accounts are made here by the people who run it. Ask them for one, then sign in and follow this link again.',
  );
}

/**
 * Another token for an open invitation, whose mail is about to be written: the one before opens nothing any more.
 * Undefined when it is over, or the workspace is.
 */
export async function tokenForMail(
  tx: Tx,
  kernel: Kernel,
  { workspaceId, id }: { workspaceId: string; id: string },
): Promise<{ email: string; token: string } | undefined> {
  const token = newToken();
  const row = await tx
    .updateTable('invitations')
    .set({ token_hash: tokenHash(token) })
    .where('workspace_id', '=', workspaceId)
    .where('id', '=', id)
    .where(stillOpen(kernel.clock.now()))
    .returning('email')
    .executeTakeFirst();
  return row && row.email !== null ? { email: row.email, token } : undefined;
}

/** The conditional update is the acceptance. */
async function accept(tx: Tx, kernel: Kernel, by: Person, token: string): Promise<void> {
  const { userId, address } = by;
  const now = kernel.clock.now();
  const taken = await tx
    .updateTable('invitations')
    .set({ accepted_at: now, accepted_by: userId })
    .where('token_hash', '=', tokenHash(token))
    .where(stillOpen(now))
    .returning(['workspace_id', 'id', 'role'])
    .executeTakeFirst();
  if (!taken) throw invalidField('token', OVER);
  const { workspace_id: workspaceId, id, role } = taken;
  const added = await tx
    .insertInto('members')
    .values({ workspace_id: workspaceId, user_id: userId, role })
    .onConflict(conflict => conflict.columns(['workspace_id', 'user_id']).doNothing())
    .returning('user_id')
    .executeTakeFirst();
  if (!added) {
    throw new AppError('illegal_state', 'You belong to this workspace already. The invitation stays open.');
  }
  const scope = mintScope(kernel, workspaceId, { kind: 'user', id: userId }, { address });
  await record(tx, scope, factOf(id, 'accepted', { role }));
  await record(tx, scope, {
    type: 'member.joined',
    subject: { type: 'user', id: userId },
    payload: { role },
  });
}

/** Not used, not taken back, not too old, and its workspace is there to be joined. */
function stillOpen(now: Date) {
  return (where: ExpressionBuilder<Tables, 'invitations'>) =>
    where.and([
      where('accepted_at', 'is', null),
      where('revoked_at', 'is', null),
      where('expires_at', '>', now),
      where.exists(
        where
          .selectFrom('workspaces')
          .select('id')
          .whereRef('workspaces.id', '=', 'invitations.workspace_id')
          .where('deletion_due_at', 'is', null),
      ),
    ]);
}

type Row = {
  id: string;
  email: string | null;
  role: string;
  created_by: string;
  created_at: Date;
  expires_at: Date;
  accepted_at: Date | null;
  revoked_at: Date | null;
};

function shown(row: Row, now: Date): Invitation {
  return {
    id: row.id,
    email: row.email,
    role: row.role as Role,
    status: statusOf(row, now),
    created_by: row.created_by,
    created_at: row.created_at.toISOString(),
    expires_at: row.expires_at.toISOString(),
  };
}

function statusOf(row: Row, now: Date): Invitation['status'] {
  if (row.accepted_at) return 'accepted';
  if (row.revoked_at) return 'revoked';
  return row.expires_at > now ? 'open' : 'expired';
}

function factOf(id: string, what: string, payload: object) {
  return { type: `invitation.${what}`, subject: { type: 'invitation', id }, payload };
}
