import type { FastifyInstance, FastifyReply, FastifyRequest, FastifySchema } from 'fastify';
import { z } from 'zod';
import { notFound } from '../errors.ts';
import type { Scope } from '../scope.ts';
import { type Answer, checkedAnswer, sendAnswer } from './answer.ts';
import { once, readIdempotencyKey, requestHash } from './idempotency.ts';
import { readIfMatch } from './preconditions.ts';
import type { ApiLimits, RouteClass } from './rate-limits.ts';
import { factsOf } from './request-facts.ts';
import type { Gate, OpenRoute, Reply, Routes, WorkspaceRoute } from './route.ts';
import type { Streams } from './sse.ts';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Who may call the route; one without it stops the start. */
    permission?: string;
    duringMaintenance?: boolean;
    creates?: boolean;
    stream?: boolean;
  }
  interface FastifySchema {
    summary?: string;
    tags?: readonly string[];
  }
}

/** The whole of a request that takes no query, and of one that takes no body. */
export const NoQuery = z.strictObject({});
export const NoBody = z.strictObject({}).nullish();
const NoContent = z.undefined().describe('No body');

type Shape = z.ZodType | undefined;
type AnyRoute = WorkspaceRoute<Shape, Shape, Shape> | OpenRoute<Shape, Shape, Shape>;

/** Registers routes behind the gate. See `WorkspaceRoute` and `OpenRoute` for what a route says of itself. */
export function routesOn(app: FastifyInstance, gate: Gate, streams: Streams, limits: ApiLimits): Routes {
  refuseRoutesWithoutPermission(app);
  return {
    app,
    workspace: route =>
      addWorkspaceRoute(
        app,
        { gate, streams, limits },
        route as unknown as WorkspaceRoute<Shape, Shape, Shape>,
      ),
    open: route => addOpenRoute(app, { gate, limits }, route as unknown as OpenRoute<Shape, Shape, Shape>),
  };
}

function refuseRoutesWithoutPermission(app: FastifyInstance): void {
  app.addHook('onRoute', route => {
    if (!route.config?.permission)
      throw new Error(`The route ${String(route.method)} ${route.url} does not say who may call it.`);
  });
}

function addWorkspaceRoute(
  app: FastifyInstance,
  { gate, streams, limits }: { gate: Gate; streams: Streams; limits: ApiLimits },
  route: WorkspaceRoute<Shape, Shape, Shape>,
): void {
  const routeClass = classOf(route);
  const enter = (request: FastifyRequest) => gate.enter(request, route.permission);
  app.route({
    method: route.method,
    url: route.url,
    schema: schemaOf(route),
    config: {
      permission: route.permission,
      duringMaintenance: route.duringMaintenance === true,
      creates: route.creates === true,
      stream: route.stream === true,
    },
    exposeHeadRoute: route.method === 'GET' && !route.stream,
    onRequest: async (request, reply) => {
      const scope = await enter(request);
      Object.assign(factsOf(request), {
        scope,
        userId: scope.actor.kind === 'user' ? scope.actor.id : undefined,
      });
      limits.spend(reply, scope, routeClass);
    },
    preValidation: async request => {
      // Streams and images name their workspace in the query; the gate has read it, no route knows it.
      delete (request.query as Record<string, unknown>).workspace;
      if (route.stream) delete (request.query as Record<string, unknown>).pass;
    },
    handler: async (request, reply) => {
      const { scope } = factsOf(request);
      if (!scope) throw new Error('The gate let a request in without a scope.');
      if (route.stream) streams.expect(request, reply, () => enter(request));
      const act = () => route.handler({ ...inputOf(request), scope, ifMatch: ifMatchOf(request), request });
      if (route.stream) return streamed(reply, act);
      return sendAnswer(reply, await answered(request, scope, route, act));
    },
  });
}

function classOf({ method, permission }: AnyRoute): RouteClass {
  if (method === 'GET') return 'read';
  return permission === 'messages.send' ? 'send' : 'write';
}

function addOpenRoute(
  app: FastifyInstance,
  { gate, limits }: { gate: Gate; limits: ApiLimits },
  route: OpenRoute<Shape, Shape, Shape>,
): void {
  const routeClass = classOf(route);
  app.route({
    method: route.method,
    url: route.url,
    schema: schemaOf(route),
    config: { permission: route.permission, duringMaintenance: route.duringMaintenance === true },
    exposeHeadRoute: route.method === 'GET',
    onRequest: async (request, reply) => {
      if (route.permission === 'public') return;
      const userId = await (route.permission === 'login' ? gate.user(request) : adminOf(gate, request));
      factsOf(request).userId = userId;
      limits.spend(reply, { userId }, routeClass);
    },
    handler: async (request, reply) => {
      const given = await route.handler({ ...inputOf(request), request, userId: factsOf(request).userId });
      return sendAnswer(reply, checkedAnswer(route.answers, given));
    },
  });
}

function adminOf(gate: Gate, request: FastifyRequest): Promise<string> {
  if (!gate.admin) throw notFound();
  return gate.admin(request);
}

async function streamed(reply: FastifyReply, act: () => Promise<Reply>): Promise<FastifyReply> {
  await act();
  if (!reply.sent) throw new Error('A route with `stream: true` did not open its stream.');
  return reply;
}

/** `Out<undefined>` is undefined: a part that the route does not name is not handed on. */
function inputOf(request: FastifyRequest): { params: never; query: never; body: never } {
  const { params, query, body } = request;
  return { params: params as never, query: query as never, body: body as never };
}

async function answered(
  request: FastifyRequest,
  scope: Scope,
  route: WorkspaceRoute<Shape, Shape, Shape>,
  act: () => Promise<Reply>,
): Promise<Answer> {
  const key = route.creates ? readIdempotencyKey(request.headers['idempotency-key']) : undefined;
  if (key === undefined) return checkedAnswer(route.answers, await act());
  const [path = ''] = request.url.split('?');
  const hash = requestHash(scope.actor, request.method, path, request.body);
  const { replayed, ...answer } = await once(scope, key, hash, async () =>
    checkedAnswer(route.answers, await act()),
  );
  if (!replayed) return answer;
  factsOf(request).replayed = true;
  return { ...answer, headers: { ...answer.headers, 'idempotency-replayed': 'true' } };
}

function ifMatchOf(request: FastifyRequest): number | undefined {
  return request.method === 'GET' || request.method === 'HEAD'
    ? undefined
    : readIfMatch(request.headers['if-match']);
}

function schemaOf(route: AnyRoute): FastifySchema {
  const takesBody = route.method !== 'GET';
  const response = Object.fromEntries(
    Object.entries(route.answers).map(([status, shape]) => [status, shape ?? NoContent]),
  );
  return {
    summary: route.summary,
    tags: [route.tag],
    querystring: route.query ?? NoQuery,
    response,
    ...(route.params ? { params: route.params } : {}),
    ...(takesBody ? { body: route.body ?? NoBody } : {}),
  };
}
