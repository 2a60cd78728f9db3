import type { FastifyRequest } from 'fastify';
import {
  AppError,
  type Gate,
  invalidField,
  isId,
  type Kernel,
  mintScope,
  notFound,
  type Permission,
  type Tx,
} from '../kernel/index.ts';
import { openedBy } from './logins.ts';
import { may } from './policy.ts';
import { type Membership, memberships } from './queries.ts';

export const LOGIN_COOKIE = 'convoke_login';

/** What owners may still ask of a workspace that is to be deleted. */
const OF_A_CLOSED_ONE = new Set<Permission>(['workspace.read', 'workspace.delete']);

/**
 * Decides who a request is from and in which workspace it acts. The login comes as a cookie; the
 * workspace by header or query, or by itself when there is only one. Nothing is remembered between
 * requests, so a logout or a lost membership counts at once.
 */
export function createGate(kernel: Kernel): Gate {
  return {
    enter: async (request, permission) => {
      const named = namedWorkspace(request);
      const { userId, all } = await kernel.database.inEngine('identity.enter', async tx => {
        const userId = await signedIn(tx, kernel, request);
        return { userId, all: await memberships(tx, userId) };
      });
      const { id, role, deletionDueAt } = chosen(all, named);
      if (deletionDueAt && !OF_A_CLOSED_ONE.has(permission)) throw closed(deletionDueAt);
      if (!may(role, permission)) throw forbidden(permission, role);
      const origin = { address: request.ip, may: (wanted: Permission) => may(role, wanted) };
      return mintScope(kernel, id, { kind: 'user', id: userId }, origin);
    },
    user: request => kernel.database.inEngine('identity.user', tx => signedIn(tx, kernel, request)),
  };
}

/** The token of the login, as the browser brought it. */
export function loginToken(request: FastifyRequest): string | undefined {
  return request.cookies[LOGIN_COOKIE];
}

async function signedIn(tx: Tx, kernel: Kernel, request: FastifyRequest): Promise<string> {
  const token = loginToken(request);
  if (!token) throw new AppError('unauthenticated', 'Sign in first: POST /v1/login.');
  const found = await openedBy(tx, kernel, token, 'cookie');
  if (!found) throw new AppError('unauthenticated', 'This login is over. Sign in again: POST /v1/login.');
  return found.userId;
}

function namedWorkspace(request: FastifyRequest): string | undefined {
  const header = request.headers['convoke-workspace'];
  const query = (request.query as { workspace?: unknown }).workspace;
  const named = header ?? query;
  if (named === undefined || named === '') return undefined;
  if (typeof named !== 'string')
    throw invalidField('workspace', 'Name one workspace, by its id or its short name.');
  return named;
}

/** A workspace of others and one that does not exist are answered alike. */
function chosen(all: Membership[], named: string | undefined): Membership {
  if (named !== undefined) {
    const found = all.find(one =>
      isId(named.toLowerCase()) ? one.id === named.toLowerCase() : one.slug === named,
    );
    if (!found) throw notFound();
    return found;
  }
  const [only, ...others] = all;
  if (!only)
    throw new AppError('forbidden', 'You are not a member of any workspace. Ask an owner to add you.');
  if (others.length === 0) return only;
  throw new AppError(
    'workspace_required',
    'You belong to several workspaces. Name one with the header Convoke-Workspace or with ?workspace=.',
    { extra: { workspaces: all.map(({ id, slug, name }) => ({ id, slug, name })) } },
  );
}

function closed(due: Date): AppError {
  return new AppError(
    'illegal_state',
    `This workspace is closed and will be deleted on ${due.toISOString().slice(0, 10)}. Keep it first: DELETE /v1/workspace/deletion.`,
  );
}

function forbidden(permission: Permission, role: string): AppError {
  return new AppError(
    'forbidden',
    `This needs the permission ${permission}, which the role ${role} does not have.`,
  );
}
