import { hash } from 'node:crypto';
import { z } from 'zod';
import { inWorkspace, type Tx } from './database/database.ts';
import { bytes, kept, list, texts } from './database/kept.ts';
import { invalidField } from './errors.ts';
import type { Routes } from './http/route.ts';
import { Id, Instant, PageQuery, pageOf } from './http/shapes.ts';
import { newId, randomPart } from './ids.ts';
import { type Actor, INSTANCE, type Scope } from './scope.ts';
import { wakeAfterCommit } from './wake.ts';

/** Something that happened, as a room tells it. `type` is `room.fact`. */
export type NewFact = { type: string; subject: { type: string; id: string }; payload: object };

/** Who did something, and from where. */
export type Author = { actor: Actor; address?: string | undefined };

export type By = Author & { workspaceId: string };

/** A sealed fact: `seq` has no gaps within its workspace and follows what readers could see. */
export const Fact = z.object({
  seq: z.number().int(),
  id: Id,
  type: z.string().describe('`room.fact`, such as `message.sent`'),
  actor: z.object({ kind: z.enum(['user', 'api_key', 'system', 'recipient']), id: Id.nullable() }),
  subject: z.object({ type: z.string(), id: Id }),
  payload: z.unknown().describe('Null once it was erased'),
  occurred_at: Instant,
});
export type Fact = z.output<typeof Fact>;
export const FactPage = pageOf(Fact);
export type FactPage = z.output<typeof FactPage>;

/** Records a fact in the transaction of the change itself. The sealer is woken after the commit. */
export function record(tx: Tx, by: By, fact: NewFact): Promise<void> {
  return recordAll(tx, [{ ...by, ...fact }]);
}

/** Records a fact of the whole installation, which no workspace sees. From the engine's door only. */
export function recordForInstance(tx: Tx, author: Author, fact: NewFact): Promise<void> {
  return recordAll(tx, [{ ...author, workspaceId: INSTANCE, ...fact }]);
}

/** As whom a request records its facts. */
export function authorOf({ actor, address }: Scope): Author {
  return { actor, address };
}

/** The same for many facts, also of several workspaces where an engine's transaction sees them. */
export async function recordAll(tx: Tx, facts: (By & NewFact)[]): Promise<void> {
  if (facts.length === 0) return;
  const salts = facts.map(() => randomPart(SALT_BYTES));
  await insertFacts(
    tx,
    list(facts.map(fact => fact.workspaceId)),
    list(facts.map(() => newId())),
    texts(facts.map(fact => fact.type)),
    list(facts.map(fact => fact.actor.kind)),
    list(facts.map(({ actor }) => ('id' in actor ? actor.id : null))),
    texts(facts.map(({ address }) => address ?? null)),
    texts(facts.map(fact => fact.subject.type)),
    list(facts.map(fact => fact.subject.id)),
    texts(facts.map(fact => JSON.stringify(fact.payload))),
    bytes(salts),
    bytes(facts.map((fact, at) => digestOf(salts[at] ?? Buffer.alloc(0), fact.payload))),
  );
  wakeAfterCommit('activity');
}

const SALT_BYTES = 16;

const insertFacts = kept(`
  with facts as (
    select * from unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::uuid[], $6::text[], $7::text[],
      $8::uuid[], $9::jsonb[], $10::bytea[], $11::bytea[])
      as f(workspace_id, id, type, actor_kind, actor_id, address, subject_type, subject_id, payload, salt, digest)
  ), pending as (
    insert into activity_pending (workspace_id, id, activity_ids)
    select workspace_id, (array_agg(id order by id))[1], array_agg(id order by id) from facts group by workspace_id
  )
  insert into activity (workspace_id, id, type, actor_kind, actor_id, address, subject_type, subject_id, payload, salt,
    digest, occurred_at)
  select workspace_id, id, type, actor_kind, actor_id, address, subject_type, subject_id, payload, salt, digest, now()
  from facts`);

/** What the chain holds of a payload: without the salt it can neither be read nor guessed. */
export function digestOf(salt: Uint8Array, payload: unknown): Buffer {
  return hash('sha256', Buffer.concat([salt, Buffer.from(canonical(payload))]), 'buffer');
}

export type ActivityQuery = {
  /** Facts after this seq, oldest first. Without it: newest first. */
  afterSeq?: number | undefined;
  /** Facts before this seq. */
  before?: number | undefined;
  limit: number;
  subjectId?: string | undefined;
  type?: string | undefined;
};

/** Sealed facts of the workspace. Read by `seq`, no fact is ever missed. */
export function readActivity(scope: Scope, query: ActivityQuery): Promise<Fact[]> {
  return inWorkspace(scope, async tx => {
    let rows = tx
      .selectFrom('activity_seals as s')
      .innerJoin('activity as a', join =>
        join.onRef('a.workspace_id', '=', 's.workspace_id').onRef('a.id', '=', 's.activity_id'),
      )
      .select(['s.seq', 'a.id', 'a.type', 'a.actor_kind', 'a.actor_id', 'a.subject_type', 'a.subject_id'])
      .select(['a.payload', 'a.occurred_at'])
      .where('s.workspace_id', '=', scope.workspaceId)
      .orderBy('s.seq', query.afterSeq === undefined ? 'desc' : 'asc')
      .limit(query.limit);
    if (query.afterSeq !== undefined) rows = rows.where('s.seq', '>', query.afterSeq);
    if (query.before !== undefined) rows = rows.where('s.seq', '<', query.before);
    if (query.subjectId !== undefined) rows = rows.where('a.subject_id', '=', query.subjectId);
    if (query.type !== undefined) rows = rows.where('a.type', '=', query.type);
    return (await rows.execute()).map(row => ({
      seq: row.seq,
      id: row.id,
      type: row.type,
      actor: { kind: row.actor_kind as Actor['kind'], id: row.actor_id },
      subject: { type: row.subject_type, id: row.subject_id },
      payload: row.payload,
      occurred_at: row.occurred_at.toISOString(),
    }));
  });
}

const ActivityPageQuery = PageQuery.extend({
  subject_id: Id.optional(),
  type: z.string().max(60).optional().describe('Only facts of this type, such as `reminder.created`'),
});

export function registerActivityRoutes(routes: Routes): void {
  routes.workspace({
    method: 'GET',
    url: '/v1/activity',
    summary: 'List what happened, newest first',
    tag: 'activity',
    permission: 'activity.read',
    query: ActivityPageQuery,
    answers: { 200: FactPage },
    handler: async ({ scope, query }) => {
      const { limit, cursor, subject_id: subjectId, type } = query;
      const before = cursor === undefined ? undefined : seqIn(cursor);
      const facts = await readActivity(scope, { limit: limit + 1, before, subjectId, type });
      const data = facts.slice(0, limit);
      const last = data.at(-1);
      return {
        body: { data, page: { next_cursor: facts.length > limit && last ? String(last.seq) : null } },
      };
    },
  });
}

function seqIn(cursor: string): number {
  if (/^[1-9][0-9]{0,14}$/.test(cursor)) return Number(cursor);
  throw invalidField(
    'cursor',
    'Use `page.next_cursor` of the page before, unchanged, or leave it out to start over.',
  );
}

/** JSON with sorted keys: the database does not keep the order in which they were written. */
function canonical(value: unknown): string {
  if (typeof value !== 'object' || value === null || 'toJSON' in value)
    return JSON.stringify(value) ?? 'null';
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`;
  const parts = Object.entries(value)
    .filter(([, part]) => part !== undefined)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, part]) => `${JSON.stringify(key)}:${canonical(part)}`);
  return `{${parts.join(',')}}`;
}
