import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { z } from 'zod';
import type { Scope } from '../scope.ts';

/** What a route may ask of the caller; `identity/policy` says which role has which. */
export type Permission =
  | 'workspace.read'
  | 'workspace.manage'
  | 'workspace.delete'
  | 'members.read'
  | 'members.manage'
  | 'keys.manage'
  | 'channels.read'
  | 'channels.manage'
  | 'messages.read'
  | 'messages.send'
  | 'reminders.read'
  | 'reminders.manage'
  | 'contacts.read'
  | 'contacts.opt_out'
  | 'contacts.manage'
  | 'activity.read'
  | 'audit.read';

type Shape = z.ZodType;
type Out<S> = S extends z.ZodType ? z.output<S> : undefined;

export type Reply = { status?: number; body?: unknown; headers?: Record<string, string | string[]> };

type Common<P, Q, B> = {
  method: 'GET' | 'POST' | 'PATCH' | 'DELETE';
  /** Fastify path, such as `/v1/channels/:id`. */
  url: string;
  /** One line for the API document. */
  summary: string;
  /** The room, as the API document groups routes. */
  tag: string;
  params?: P;
  query?: Q;
  body?: B;
  /** Successful answers by status; null = no body. Errors are the same for every route. */
  answers: Record<number, Shape | null>;
  /** Works also while the installation is under maintenance, although it changes something. */
  duringMaintenance?: true;
};

export type WorkspaceRoute<P, Q, B> = Common<P, Q, B> & {
  permission: Permission;
  /** A POST that creates: honours `Idempotency-Key`, and the handler runs in one transaction with it. */
  creates?: true;
  /** A GET that answers with server-sent events: the handler calls `openStream(request)` and returns `{}`. */
  stream?: true;
  handler: (input: {
    scope: Scope;
    params: Out<P>;
    query: Out<Q>;
    body: Out<B>;
    /** The version named by `If-Match`, if any. */
    ifMatch: number | undefined;
    request: FastifyRequest;
  }) => Promise<Reply>;
};

export type OpenRoute<P, Q, B> = Common<P, Q, B> & {
  /**
   * `public` = anybody, `login` = a signed-in user, no workspace needed, `admin` = a user who runs the installation; for
   * everybody else such a route is not there.
   */
  permission: 'public' | 'login' | 'admin';
  handler: (input: {
    params: Out<P>;
    query: Out<Q>;
    body: Out<B>;
    request: FastifyRequest;
    /** The signed-in user's id on `login` and `admin` routes. */
    userId: string | undefined;
  }) => Promise<Reply>;
};

/** Who is allowed in: declared here, plugged by main.ts with the gate of the identity room. */
export type Gate = {
  /** Throws `unauthenticated`, `workspace_required`, `forbidden` or `not_found`. */
  enter(request: FastifyRequest, permission: Permission): Promise<Scope>;
  /** The id of the signed-in user; throws `unauthenticated`. */
  user(request: FastifyRequest): Promise<string>;
  /** The id of the signed-in user who runs the installation; throws `not_found` for everybody else. */
  admin?(request: FastifyRequest): Promise<string>;
};

export type Routes = {
  app: FastifyInstance;
  workspace<
    P extends Shape | undefined = undefined,
    Q extends Shape | undefined = undefined,
    B extends Shape | undefined = undefined,
  >(route: WorkspaceRoute<P, Q, B>): void;
  open<
    P extends Shape | undefined = undefined,
    Q extends Shape | undefined = undefined,
    B extends Shape | undefined = undefined,
  >(route: OpenRoute<P, Q, B>): void;
};
