import cookie from '@fastify/cookie';
import helmet from '@fastify/helmet';
import Fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import { serializerCompiler } from 'fastify-type-provider-zod';
import type { Config } from '../config.ts';
import { AppError } from '../errors.ts';
import { newId } from '../ids.ts';
import type { Kernel } from '../kernel.ts';
import { addApiDocument } from './api-document.ts';
import { readJsonBodies } from './body.ts';
import { trackConnections } from './connections.ts';
import { contentPolicy } from './content-policy.ts';
import { addHealth } from './health.ts';
import { purgeIdempotencyKeys } from './idempotency.ts';
import { type Maintenance, refuseDuringMaintenance } from './maintenance.ts';
import { refuseForeignOrigin } from './origin.ts';
import { addressOf, listenFault } from './port.ts';
import { BODY_LIMIT, sendProblem } from './problem.ts';
import { type Allowances, createApiLimits } from './rate-limits.ts';
import { factsOf } from './request-facts.ts';
import type { Gate, Routes } from './route.ts';
import { routesOn } from './routes.ts';
import { Streams } from './sse.ts';
import { compileValidator } from './validate.ts';
import { answerUnknownAddresses, WEB_ROOT } from './web-app.ts';

type HttpOptions = {
  /** Folder of the built web app. */
  webRoot?: string;
  /** How often a quiet stream shows that it is alive; every fourth time the login is checked again. */
  heartbeatMs?: number;
  /** Whether writes are refused just now; without it never. */
  maintenance?: Maintenance;
  /** How much each workspace, and each person without one, may ask of the API. */
  allowances?: Allowances;
};

/** The HTTP server: rooms add their routes, then it listens. */
export type Http = Routes & {
  /** Starts to listen and gives back the address. Throws StartError when the port is taken. */
  listen(): Promise<string>;
  /** Refuses new requests, ends the streams and waits for what is under way. */
  close(): Promise<void>;
};

const PURGE_EVERY_MS = 3_600_000;

/** Makes the server with everything that is the same for every route. */
export async function createHttp(kernel: Kernel, gate: Gate, options: HttpOptions = {}): Promise<Http> {
  const webRoot = options.webRoot ?? WEB_ROOT;
  const streams = new Streams(options.heartbeatMs);
  const life = { stopping: false };
  const app = bareServer(kernel);
  const limits = createApiLimits(kernel, options.allowances);
  const connections = trackConnections(app.server);
  await protect(app, kernel, life, options.maintenance);
  const document = await addApiDocument(app);
  const routes = routesOn(app, gate, streams, limits);
  await answerUnknownAddresses(app, webRoot);
  document.addPages(routes);
  addHealth(routes, kernel, life);
  const purge = setInterval(() => runPurge(kernel), PURGE_EVERY_MS);
  purge.unref();
  // Whoever takes rights away says whose, or nothing when it may be anybody's.
  const deaf = kernel.wake.on('gate', callerId => streams.recheck(callerId));
  app.addHook('onClose', async () => {
    clearInterval(purge);
    deaf();
    await limits.stop();
  });
  return {
    ...routes,
    listen: () => listen(app, kernel.config),
    close: async () => {
      life.stopping = true;
      streams.closeAll();
      await connections.close(() => app.close());
    },
  };
}

function bareServer(kernel: Kernel): FastifyInstance {
  const app = Fastify({
    logger: false,
    bodyLimit: BODY_LIMIT,
    trustProxy: (_address, hop) => hop < kernel.config.trustedProxies,
    requestTimeout: 30_000,
    forceCloseConnections: 'idle',
    genReqId: () => newId(),
    routerOptions: { maxParamLength: 200 },
    frameworkErrors: (error, request, reply) => sendProblem(kernel, error, request, reply as FastifyReply),
  });
  app.setValidatorCompiler(compileValidator);
  app.setSerializerCompiler(serializerCompiler);
  app.setErrorHandler((error, request, reply) => sendProblem(kernel, error, request, reply));
  readJsonBodies(app);
  return app;
}

async function protect(
  app: FastifyInstance,
  kernel: Kernel,
  life: { stopping: boolean },
  maintenance?: Maintenance,
): Promise<void> {
  const { publicUrl } = kernel.config;
  await app.register(helmet, {
    contentSecurityPolicy: false,
    xFrameOptions: { action: 'deny' },
    strictTransportSecurity: publicUrl?.startsWith('https:') === true,
  });
  await app.register(cookie);
  app.addHook('onRequest', async (request, reply) => {
    reply.header('x-request-id', request.id);
    reply.header('content-security-policy', contentPolicy());
    if (life.stopping && request.routeOptions.url !== '/health') {
      throw new AppError('stopping', 'Convoke is stopping. Try again in a few seconds.');
    }
    refuseForeignOrigin(request, publicUrl);
    if (maintenance) await refuseDuringMaintenance(request, maintenance);
  });
  app.addHook('onResponse', async (request, reply) => logRequest(kernel, request, reply));
}

function logRequest(kernel: Kernel, request: FastifyRequest, reply: FastifyReply): void {
  const { scope, userId, code, replayed } = factsOf(request);
  const url = request.routeOptions.url;
  const level = url === '/health' || !url?.startsWith('/v1') ? 'debug' : 'info';
  kernel.log[level]({
    event: 'http.request',
    request_id: request.id,
    method: request.method,
    route: url,
    status: reply.statusCode,
    ms: Math.round(reply.elapsedTime * 10) / 10,
    workspace_id: scope?.workspaceId,
    user_id: userId,
    code,
    replayed,
  });
}

function runPurge(kernel: Kernel): void {
  purgeIdempotencyKeys(kernel).catch(error => kernel.log.warn({ event: 'http.purge_keys', err: error }));
}

async function listen(app: FastifyInstance, config: Config): Promise<string> {
  try {
    await app.listen({ host: config.host, port: config.port });
  } catch (error) {
    throw listenFault(error, config);
  }
  return addressOf(app.server.address(), config);
}
