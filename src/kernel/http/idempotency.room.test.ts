import { sql } from 'kysely';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { type TestKernel, testKernel, testWorkspace } from '../../../test/harness/database.ts';
import { inWorkspace } from '../database/database.ts';
import { invalidField } from '../errors.ts';
import { newId } from '../ids.ts';
import { mintScope, type Scope } from '../scope.ts';
import { purgeIdempotencyKeys } from './idempotency.ts';
import type { Gate } from './route.ts';
import { createHttp, type Http } from './server.ts';

let kernel: TestKernel;
let http: Http;
let scopes: Record<string, Scope>;
/** How often the handler ran, and what it left in the database. */
let runs = 0;

const NewThing = z.strictObject({
  label: z.string().trim(),
  size: z.number().optional(),
  fail: z.boolean().optional(),
});

beforeAll(async () => {
  kernel = await testKernel();
  scopes = { one: await testWorkspace(kernel), two: await testWorkspace(kernel) };
  const gate: Gate = {
    enter: async request => {
      const scope = scopes[String(request.headers['x-workspace'] ?? 'one')];
      if (!scope) throw new Error('No such workspace in this test.');
      return scope;
    },
    user: async () => newId(),
  };
  http = await createHttp(kernel, gate);
  for (const url of ['/v1/things', '/v1/others']) {
    http.workspace({
      method: 'POST',
      url,
      permission: 'channels.manage',
      summary: 'Makes a thing',
      tag: 'test',
      creates: true,
      body: NewThing,
      answers: { 201: z.object({ id: z.string(), label: z.string(), version: z.number().int() }) },
      handler: async ({ scope, body }) => {
        runs += 1;
        const id = newId();
        await inWorkspace(scope, async tx => {
          // Any tenant table serves as the effect; twins must meet while the first is still at it.
          await tx
            .insertInto('activity_pending')
            .values({ workspace_id: scope.workspaceId, id, activity_ids: [id] })
            .execute();
          await sql`select pg_sleep(0.02)`.execute(tx);
        });
        if (body.fail) throw invalidField('label', 'Not this one.');
        return {
          status: 201,
          body: { id, label: body.label, version: 1 },
          headers: { location: `${url}/${id}` },
        };
      },
    });
  }
  await http.app.ready();
});
afterAll(async () => {
  await http.close();
  await kernel.close();
});
beforeEach(async () => {
  runs = 0;
  await kernel.database.inEngine('test.clear', async tx => {
    await tx.deleteFrom('idempotency_keys').execute();
    await tx.deleteFrom('activity_pending').execute();
  });
});

type Call = { key?: string | undefined; body?: object; url?: string; workspace?: string };

function make({ key, body = { label: 'One' }, url = '/v1/things', workspace = 'one' }: Call) {
  return http.app.inject({
    method: 'POST',
    url,
    payload: body,
    headers: { 'x-workspace': workspace, ...(key === undefined ? {} : { 'idempotency-key': key }) },
  });
}

const effects = async () =>
  (
    await kernel.database.inEngine('test.effects', tx =>
      tx.selectFrom('activity_pending').selectAll().execute(),
    )
  ).length;
const keys = async () =>
  (await kernel.database.inEngine('test.keys', tx => tx.selectFrom('idempotency_keys').selectAll().execute()))
    .length;

describe('a key', () => {
  it('gives one effect and the same answer again', async () => {
    const first = await make({ key: 'draft-1' });
    const second = await make({ key: 'draft-1', body: { label: ' One ' } });
    expect(first.statusCode).toBe(201);
    expect(first.headers['idempotency-replayed']).toBeUndefined();
    expect(second.statusCode).toBe(201);
    expect(second.body).toBe(first.body);
    expect(second.headers).toMatchObject({
      'idempotency-replayed': 'true',
      'content-type': first.headers['content-type'],
      etag: '"1"',
      location: first.headers.location,
    });
    expect([runs, await effects(), await keys()]).toEqual([1, 1, 1]);
  });

  it('hammered by twins at once gives one effect and one answer', async () => {
    const all = await Promise.all(Array.from({ length: 10 }, () => make({ key: 'draft-2' })));
    expect(all.map(answer => answer.statusCode)).toEqual(Array.from({ length: 10 }, () => 201));
    expect(new Set(all.map(answer => answer.body)).size).toBe(1);
    expect(all.filter(answer => answer.headers['idempotency-replayed'] === undefined)).toHaveLength(1);
    expect([runs, await effects()]).toEqual([1, 1]);
  });

  it('with another request is refused', async () => {
    await make({ key: 'draft-3' });
    for (const other of [
      { body: { label: 'Two' } },
      { body: { label: 'One', size: 1 } },
      { url: '/v1/others' },
    ]) {
      const answer = await make({ key: 'draft-3', ...other });
      expect(answer.json()).toMatchObject({ status: 409, code: 'idempotency_key_reused' });
    }
    expect(await effects()).toBe(1);
  });

  it('does not mind the order of fields', async () => {
    const first = await make({ key: 'draft-4', body: { label: 'One', size: 1 } });
    const second = await make({ key: 'draft-4', body: { size: 1, label: 'One' } });
    expect(second.body).toBe(first.body);
  });

  it('belongs to its workspace', async () => {
    const mine = await make({ key: 'draft-5' });
    const theirs = await make({ key: 'draft-5', workspace: 'two', body: { label: 'Two' } });
    expect(theirs.statusCode).toBe(201);
    expect(theirs.json().id).not.toBe(mine.json().id);
  });

  it('belongs to who has sent it: nobody else of the workspace is shown the answer', async () => {
    const mine = await make({ key: 'draft-10' });
    const [scope] = [scopes.one as Scope];
    for (const actor of [
      { kind: 'user', id: newId() },
      { kind: 'api_key', id: (scope.actor as { id: string }).id },
    ] as const) {
      scopes.other = mintScope(kernel, scope.workspaceId, actor);
      const theirs = await make({ key: 'draft-10', workspace: 'other' });
      expect(theirs.json()).toMatchObject({ status: 409, code: 'idempotency_key_reused' });
      expect(theirs.body).not.toContain(mine.json().id);
      expect(theirs.headers.location).toBeUndefined();
    }
    expect((await make({ key: 'draft-10' })).body).toBe(mine.body);
    expect([runs, await effects(), await keys()]).toEqual([1, 1, 1]);
  });

  it('of what failed is free again, and nothing half-written stays', async () => {
    const failed = await make({ key: 'draft-6', body: { label: 'One', fail: true } });
    expect(failed.statusCode).toBe(422);
    expect([await effects(), await keys()]).toEqual([0, 0]);
    expect((await make({ key: 'draft-6' })).statusCode).toBe(201);
  });

  it('is free again after 24 hours, for whichever twin comes first', async () => {
    await make({ key: 'draft-7' });
    await kernel.database.inEngine('test.age', tx =>
      tx.updateTable('idempotency_keys').set({ expires_at: sql`now() - interval '1 second'` }).execute(),
    );
    const again = await Promise.all([1, 2, 3].map(() => make({ key: 'draft-7', body: { label: 'Two' } })));
    expect(new Set(again.map(answer => answer.body)).size).toBe(1);
    expect(again[0]?.json()).toMatchObject({ label: 'Two' });
    expect([runs, await effects()]).toEqual([2, 2]);
  });

  it('is forgotten once its time is over', async () => {
    await make({ key: 'draft-8' });
    await make({ key: 'draft-9' });
    await kernel.database.inEngine('test.age', tx =>
      tx
        .updateTable('idempotency_keys')
        .set({ expires_at: sql`now() - interval '1 second'` })
        .where('key', '=', 'draft-8')
        .execute(),
    );
    await purgeIdempotencyKeys(kernel);
    expect(await keys()).toBe(1);
  });

  it.each(['', ' ', 'a b', 'ä', 'x'.repeat(201), 'a\tb'])('%j is none', async key => {
    const answer = await make({ key });
    expect(answer.json()).toMatchObject({
      status: 400,
      code: 'invalid_request',
      errors: [{ path: 'Idempotency-Key' }],
    });
    expect(await effects()).toBe(0);
  });

  it('is not needed', async () => {
    await make({});
    await make({});
    expect([runs, await effects(), await keys()]).toEqual([2, 2, 0]);
  });
});
