import swagger from '@fastify/swagger';
import type { FastifyInstance } from 'fastify';
import { jsonSchemaTransform } from 'fastify-type-provider-zod';
import type { OpenAPIV3_1 } from 'openapi-types';
import { z } from 'zod';
import { errorCatalogue } from '../errors.ts';
import { VERSION } from '../version.ts';
import { pageWithStyles } from './content-policy.ts';
import { docsPage } from './docs-page.ts';
import { METHODS, type Method, type Operation } from './operation.ts';
import type { Routes } from './route.ts';
import { NoBody, NoQuery } from './routes.ts';

type ApiDocument = {
  /** Adds `/openapi.json` and `/docs`, both made of the routes themselves. */
  addPages(routes: Routes): void;
};

/** Has to come before the routes that it describes. */
export async function addApiDocument(app: FastifyInstance): Promise<ApiDocument> {
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'Convoke',
        version: VERSION,
        description: INTRODUCTION,
        license: { name: 'AGPL-3.0-or-later' },
      },
      servers: [{ url: '/' }],
      components: COMPONENTS,
    },
    transform: input => {
      const { config } = input.route;
      const marks = {
        'x-permission': config?.permission,
        'x-creates': config?.creates,
        'x-stream': config?.stream,
      };
      return jsonSchemaTransform({
        ...input,
        schema: { ...withoutEmptyParts(input.schema ?? {}), ...marks },
      });
    },
  });
  let made: OpenAPIV3_1.Document | undefined;
  const document = () => {
    made ??= completed(app.swagger() as OpenAPIV3_1.Document);
    return made;
  };
  return { addPages: routes => addPages(routes, document) };
}

const INTRODUCTION =
  'Programs send an API key along as `X-Api-Key`. People sign in with POST /v1/login: a browser sends the cookie along, a client ' +
  'its access token as `Authorization: Bearer`. A login that belongs to several workspaces names one by the header ' +
  '`Convoke-Workspace` or by `?workspace=`, as id or short name. A single resource comes bare, a list as `{data, page:{next_cursor}}`. ' +
  'Resources with a `version` honour `If-Match`. Creating requests honour `Idempotency-Key` for 24 hours. ' +
  '`RateLimit-Remaining` says how many requests the workspace, or on routes without one the person, has left in this minute; 429 comes with `Retry-After`.';

const Problem: OpenAPIV3_1.SchemaObject = {
  type: 'object',
  description: 'RFC 9457. `code` is stable, `detail` says what to do.',
  required: ['type', 'title', 'status', 'code', 'detail', 'request_id'],
  properties: {
    type: { type: 'string' },
    title: { type: 'string' },
    status: { type: 'integer' },
    code: { type: 'string', enum: Object.keys(errorCatalogue) },
    detail: { type: 'string' },
    request_id: { type: 'string', format: 'uuid' },
    errors: {
      type: 'array',
      items: {
        type: 'object',
        required: ['path', 'detail'],
        properties: {
          path: { type: 'string', description: 'The field as in the request, `targets.0.phone`' },
          detail: { type: 'string' },
        },
      },
    },
  },
};

const COMPONENTS: OpenAPIV3_1.ComponentsObject = {
  securitySchemes: {
    login: {
      type: 'apiKey',
      in: 'cookie',
      name: 'convoke_login',
      description: 'Set by POST /v1/login; with `__Host-` before its name on TLS',
    },
    client: {
      type: 'http',
      scheme: 'bearer',
      description: 'The access token of a client, or an API key',
    },
    api_key: { type: 'apiKey', in: 'header', name: 'X-Api-Key', description: 'Made by POST /v1/api-keys' },
  },
};

/** A route without query or body says so to the validator, but need not in the document. */
function withoutEmptyParts<T extends { querystring?: unknown; body?: unknown }>(schema: T): T {
  const shown = { ...schema };
  if (shown.querystring === NoQuery) delete shown.querystring;
  if (shown.body === NoBody) delete shown.body;
  return shown;
}

/** Adds to every operation what is the same for all and does not stand in its shapes. */
function completed(document: OpenAPIV3_1.Document): OpenAPIV3_1.Document {
  document.components = { ...document.components, schemas: { ...document.components?.schemas, Problem } };
  for (const item of Object.values(document.paths ?? {})) {
    for (const method of METHODS) {
      const operation = item?.[method] as Operation | undefined;
      if (operation) complete(operation, method);
    }
  }
  return document;
}

function complete(operation: Operation, method: Method): void {
  const permission = operation['x-permission'] ?? 'public';
  const inWorkspace = !['public', 'login', 'admin'].includes(permission);
  const creates = operation['x-creates'] === true;
  const streams = operation['x-stream'] === true;
  delete operation['x-creates'];
  delete operation['x-stream'];
  operation.security = permission === 'public' ? [] : [{ login: [] }, { client: [] }];
  if (inWorkspace) operation.security.push({ api_key: [] });
  const inPath = (operation.parameters ?? []).some(parameter => 'in' in parameter && parameter.in === 'path');
  const problems = [
    ...(method === 'get' ? [] : [400, 403, 413, 415]),
    ...(permission === 'public' || permission === 'admin' ? [] : [401]),
    ...(permission === 'admin' ? [404] : []),
    ...(inWorkspace ? [400, 403, 404, 429] : []),
    ...(inPath ? [404] : []),
    ...(creates ? [409] : []),
    ...(method === 'patch' || method === 'delete' ? [409, 412] : []),
    422,
    503,
  ];
  operation.responses = {
    ...Object.fromEntries(problems.map(status => [status, PROBLEM_ANSWER])),
    ...operation.responses,
    ...(streams ? { 200: STREAM_ANSWER } : {}),
  };
  operation.parameters = [
    ...(operation.parameters ?? []),
    ...(inWorkspace ? [WORKSPACE_HEADER] : []),
    ...(creates ? [IDEMPOTENCY_HEADER] : []),
    ...(method === 'patch' || method === 'delete' ? [IF_MATCH_HEADER] : []),
  ];
}

const PROBLEM_ANSWER: OpenAPIV3_1.ResponseObject = {
  description: 'A problem',
  content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } },
};

const STREAM_ANSWER: OpenAPIV3_1.ResponseObject = {
  description: 'Server-sent events, until either side ends it',
  content: { 'text/event-stream': { schema: { type: 'string' } } },
};

const WORKSPACE_HEADER = header(
  'Convoke-Workspace',
  'Id or short name; needed when the login belongs to several workspaces',
);
const IDEMPOTENCY_HEADER = header(
  'Idempotency-Key',
  'The same key gives the same answer for 24 hours and one effect',
);
const IF_MATCH_HEADER = header(
  'If-Match',
  'The version that the change is based on, such as "3"; 412 when it has moved on',
);

function header(name: string, description: string): OpenAPIV3_1.ParameterObject {
  return { name, in: 'header', required: false, description, schema: { type: 'string', maxLength: 200 } };
}

function addPages(routes: Routes, document: () => OpenAPIV3_1.Document): void {
  routes.open({
    method: 'GET',
    url: '/openapi.json',
    permission: 'public',
    summary: 'This document, OpenAPI 3.1',
    tag: 'documents',
    answers: { 200: z.record(z.string(), z.unknown()) },
    handler: async () => ({ body: document(), headers: { 'cache-control': 'no-cache' } }),
  });
  routes.open({
    method: 'GET',
    url: '/docs',
    permission: 'public',
    summary: 'This document as a page to read',
    tag: 'documents',
    answers: { 200: z.string() },
    handler: async () => pageWithStyles(nonce => docsPage(document(), nonce)),
  });
}
