import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { InjectOptions, LightMyRequestResponse } from 'fastify';
import { pino } from 'pino';
import { afterAll, beforeAll } from 'vitest';
import { z } from 'zod';
import { systemClock } from '../../src/kernel/clock.ts';
import { readConfig } from '../../src/kernel/config.ts';
import { CommitUnknown } from '../../src/kernel/database/database.ts';
import { LinkFault } from '../../src/kernel/database/engine.ts';
import { AppError, notFound } from '../../src/kernel/errors.ts';
import type { Gate } from '../../src/kernel/http/route.ts';
import { createHttp, type Http } from '../../src/kernel/http/server.ts';
import { Content, IdParams, PageQuery, Phone, Target } from '../../src/kernel/http/shapes.ts';
import { newId } from '../../src/kernel/ids.ts';
import type { Kernel } from '../../src/kernel/kernel.ts';
import { mintScope } from '../../src/kernel/scope.ts';

export const workspaceId = newId();

/** What the servers on this kernel have logged. */
export const lines: string[] = [];

/** A kernel whose database does not answer. */
export const kernel = {
  config: readConfig({ CONVOKE_PUBLIC_URL: 'https://convoke.example.org' }),
  log: pino({ level: 'info' }, { write: (line: string) => void lines.push(line) }),
  clock: systemClock,
  wake: { on: () => () => undefined },
  database: {
    engine: { kind: 'embedded' },
    inEngine: async () => {
      throw Object.assign(new Error('connect ECONNREFUSED 127.0.0.1:5432'), { code: 'ECONNREFUSED' });
    },
  },
} as unknown as Kernel;

/** Lets in everybody but `x-who: nobody`; `x-who: viewer` may only read. */
export const gate: Gate = {
  enter: async (request, permission) => {
    if (request.headers['x-who'] === 'nobody') throw new AppError('unauthenticated', 'Sign in first.');
    if (request.headers['x-who'] === 'viewer' && !permission.endsWith('.read'))
      throw new AppError('forbidden', 'No.');
    return mintScope(kernel, workspaceId, { kind: 'system' });
  },
  user: async () => {
    throw new AppError('unauthenticated', 'Sign in first.');
  },
};

const Thing = z.object({ id: z.string(), label: z.string(), version: z.number().int() });
const NewThing = z.strictObject({
  label: z.string().trim().min(1, 'Give it a name.').max(10),
  kind: z.enum(['small', 'large']),
  size: z.number().int().min(1).optional(),
  content: Content.optional(),
  targets: z.array(Target).min(1, 'Choose at least one recipient.').optional(),
  how: z
    .discriminatedUnion('method', [
      z.strictObject({ method: z.literal('qr').default('qr') }),
      z.strictObject({ method: z.literal('code'), phone: Phone }),
    ])
    .optional(),
});

export const good = { label: 'One', kind: 'small' };

/** A server with routes for things, for the tests of this file. */
export function onThings() {
  const things = {} as {
    http: Http;
    webRoot: string;
    post(payload: unknown, more?: InjectOptions): Promise<LightMyRequestResponse>;
  };
  beforeAll(async () => {
    things.webRoot = mkdtempSync(join(tmpdir(), 'convoke-web-'));
    things.http = await createHttp(kernel, gate, { webRoot: things.webRoot });
    addThings(things.http);
    await things.http.app.ready();
    things.post = (payload, more = {}) =>
      things.http.app.inject({ method: 'POST', url: '/v1/things', payload: payload as object, ...more });
  });
  afterAll(async () => {
    await things.http.close();
    rmSync(things.webRoot, { recursive: true });
  });
  return things;
}

function addThings(http: Http): void {
  http.workspace({
    method: 'POST',
    url: '/v1/things',
    permission: 'channels.manage',
    summary: 'Makes a thing',
    tag: 'things',
    body: NewThing,
    answers: { 201: Thing },
    handler: async ({ body }) => ({ body: { id: 'a', label: body.label, version: 1, secret: 'hunter2' } }),
  });
  http.workspace({
    method: 'GET',
    url: '/v1/things',
    permission: 'channels.read',
    summary: 'All things',
    tag: 'things',
    query: PageQuery,
    answers: { 200: z.object({ limit: z.number(), cursor: z.string().nullable() }) },
    handler: async ({ query }) => ({ body: { limit: query.limit, cursor: query.cursor ?? null } }),
  });
  http.workspace({
    method: 'PATCH',
    url: '/v1/things/:id',
    permission: 'channels.manage',
    summary: 'Changes a thing',
    tag: 'things',
    params: IdParams,
    answers: { 200: z.object({ ifMatch: z.number().nullable() }) },
    handler: async ({ ifMatch }) => ({ body: { ifMatch: ifMatch ?? null } }),
  });
  http.workspace({
    method: 'DELETE',
    url: '/v1/things/:id',
    permission: 'channels.manage',
    summary: 'Deletes a thing',
    tag: 'things',
    params: IdParams,
    answers: { 204: null },
    handler: async () => ({}),
  });
  http.workspace({
    method: 'GET',
    url: '/v1/things/:id/fault/:kind',
    permission: 'channels.read',
    summary: 'Fails in several ways',
    tag: 'things',
    params: IdParams.extend({ kind: z.string() }),
    answers: { 200: Thing },
    handler: async ({ params }) => {
      if (params.kind === 'database')
        throw Object.assign(new Error('terminating connection'), { code: '57P01' });
      if (params.kind === 'full') throw Object.assign(new Error('could not extend file'), { code: '53100' });
      if (params.kind === 'crowd') throw new LinkFault('No connection could be had in time.', false);
      if (params.kind === 'commit') throw new CommitUnknown('things.create', new Error('cut'));
      if (params.kind === 'answer') return { body: { id: 1, secret: 'hunter2' } };
      if (params.kind === 'missing') throw notFound();
      throw new Error('secret internals');
    },
  });
  http.workspace({
    method: 'GET',
    url: '/v1/picture.svg',
    permission: 'channels.read',
    summary: 'A picture',
    tag: 'things',
    answers: { 200: z.string() },
    handler: async () => ({ body: '<svg/>', headers: { 'content-type': 'image/svg+xml' } }),
  });
}
