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
  type Scope,
  type Tx,
} from '../../kernel/index.ts';
import { enterConsole } from '../admin/door.ts';
import { isApiKey } from '../keys/key-text.ts';
import { keyOpenedBy, type OpenKey } from '../keys/keys.ts';
import { keyMay, may } from '../policy.ts';
import { type Membership, memberships } from '../queries.ts';
import { loginCookie } from './cookies.ts';
import { type OpenLogin, openedBy } from './logins.ts';
import { takePass } from './stream-passes.ts';

/** What owners may still ask of a workspace that is to be deleted. */
const OF_A_CLOSED_ONE = new Set<Permission>(['workspace.read', 'workspace.delete']);

/** The login that a request has come in by. */
const logins = new WeakMap<FastifyRequest, OpenLogin>();

/**
 * Decides who a request is from and in which workspace it acts. A login comes as a cookie, as the access token of a
 * client or, for a stream, as a pass; an API key names its workspace by itself. The workspace of a login comes by
 * header or query, or by itself when there is only one. Nothing is remembered between requests, so a logout or a lost
 * membership counts at once.
 */
export function createGate(kernel: Kernel): Gate {
  const user: Gate['user'] = async request => {
    if (apiKey(request) !== undefined)
      throw new AppError('forbidden', 'This needs a person who is signed in, not an API key.');
    const login = await kernel.database.inEngine('identity.user', tx => signedIn(tx, kernel, request));
    return login.userId;
  };
  return {
    enter: async (request, permission) => {
      const named = namedWorkspace(request);
      const key = apiKey(request);
      if (key !== undefined) return enterByKey(kernel, request, { key, named, permission });
      const { login, all } = await kernel.database.inEngine('identity.enter', async tx => {
        const login = await signedIn(tx, kernel, request);
        return { login, all: await memberships(tx, login.userId) };
      });
      const { id, role, deletionDueAt } = chosen(all, named);
      if (deletionDueAt && !OF_A_CLOSED_ONE.has(permission)) throw closed(deletionDueAt);
      if (!may(role, permission)) throw forbidden(permission, `the role ${role}`);
      const origin = { address: request.ip, may: (wanted: Permission) => may(role, wanted) };
      return mintScope(kernel, id, { kind: 'user', id: login.userId }, origin);
    },
    user,
    admin: request => enterConsole(kernel, request, user),
  };
}

/** The login by which a request to a `login` route came in. */
export function loginOf(request: FastifyRequest): OpenLogin {
  const login = logins.get(request);
  if (!login) throw new AppError('unauthenticated', 'Sign in first: POST /v1/login.');
  return login;
}

/** The token that a logout ends: of the cookie, or the access token of a client. */
export function loginToken(kernel: Kernel, request: FastifyRequest): string | undefined {
  return bearer(request) ?? loginCookie(kernel.config, request);
}

async function signedIn(tx: Tx, kernel: Kernel, request: FastifyRequest): Promise<OpenLogin> {
  const how = await shownBy(tx, kernel, request);
  if (!how) throw new AppError('unauthenticated', 'Sign in first: POST /v1/login.');
  const login = await openedBy(tx, kernel, how, { address: request.ip });
  if (!login) throw new AppError('unauthenticated', 'This login is over. Sign in again: POST /v1/login.');
  logins.set(request, login);
  return login;
}

async function shownBy(
  tx: Tx,
  kernel: Kernel,
  request: FastifyRequest,
): Promise<Parameters<typeof openedBy>[2] | undefined> {
  // A stream asks again while it is open, and its pass is used up.
  const before = logins.get(request);
  if (before) return { loginId: before.id };
  const access = bearer(request);
  if (access !== undefined) return { token: access, kind: 'access' };
  const pass = streamPass(request);
  if (pass !== undefined) {
    const loginId = await takePass(tx, kernel, pass);
    return loginId === undefined ? { token: '', kind: 'access' } : { loginId };
  }
  const cookie = loginCookie(kernel.config, request);
  return cookie ? { token: cookie, kind: 'cookie' } : undefined;
}

function bearer(request: FastifyRequest): string | undefined {
  const given = request.headers.authorization;
  if (given === undefined) return undefined;
  return /^Bearer +([A-Za-z0-9_-]{1,200}) *$/i.exec(given)?.[1] ?? '';
}

function apiKey(request: FastifyRequest): string | undefined {
  const header = request.headers['x-api-key'];
  if (header !== undefined) return String(header);
  const token = bearer(request);
  return token !== undefined && isApiKey(token) ? token : undefined;
}

function streamPass(request: FastifyRequest): string | undefined {
  if (request.routeOptions.config.stream !== true) return undefined;
  const { pass } = request.query as { pass?: unknown };
  return pass === undefined ? undefined : String(pass);
}

async function enterByKey(
  kernel: Kernel,
  request: FastifyRequest,
  asked: { key: string; named: string | undefined; permission: Permission },
): Promise<Scope> {
  const { named, permission } = asked;
  const key = await kernel.database.inEngine('identity.enter', tx => keyOpenedBy(tx, kernel, asked.key));
  if (!key) {
    throw new AppError(
      'unauthenticated',
      'This API key is unknown, has expired or was revoked. Make another one.',
    );
  }
  if (named !== undefined && !isNamed(key.workspace, named)) throw notFound();
  if (!keyMay(key, permission)) throw forbidden(permission, 'this API key');
  const origin = { address: request.ip, may: (wanted: Permission) => keyMay(key, wanted) };
  const { id, someChannels } = key;
  return mintScope(kernel, key.workspace.id, { kind: 'api_key', id, someChannels }, origin);
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

function isNamed({ id, slug }: OpenKey['workspace'], named: string): boolean {
  return isId(named.toLowerCase()) ? id === named.toLowerCase() : slug === named;
}

/** A workspace of others and one that does not exist are answered alike. */
function chosen(all: Membership[], named: string | undefined): Membership {
  if (named !== undefined) {
    const found = all.find(one => isNamed(one, named));
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

function forbidden(permission: Permission, whoever: string): AppError {
  return new AppError(
    'forbidden',
    `This needs the permission ${permission}, which ${whoever} does not have.`,
  );
}
