import { createHash, randomBytes } from 'node:crypto';
import { sql } from 'kysely';
import { z } from 'zod';
import { inWorkspace, type Tx } from './database/database.ts';
import { invalidField } from './errors.ts';
import type { Routes } from './http/route.ts';
import { Id, Instant, PageQuery, pageOf } from './http/shapes.ts';
import { newId } from './ids.ts';
import type { Actor, Scope } from './scope.ts';
import { wakeAfterCommit } from './wake.ts';

/** Something that happened, as a room tells it. `type` is `room.fact`. */
export type NewFact = { type: string; subject: { type: string; id: string }; payload: object };

export type By = { workspaceId: string; actor: Actor };

/** A sealed fact: `seq` has no gaps within its workspace and follows what readers could see. */
export const Fact = z.object({
  seq: z.number().int(),
  id: Id,
  type: z.string().describe('`room.fact`, such as `message.sent`'),
  actor: z.object({ kind: z.enum(['user', 'system', 'recipient']), id: Id.nullable() }),
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

/** The same for many facts, also of several workspaces where an engine's transaction sees them. */
export async function recordAll(tx: Tx, facts: (By & NewFact)[]): Promise<void> {
  if (facts.length === 0) return;
  await sql`
    with facts as (
      select * from json_to_recordset(${JSON.stringify(facts.map(rowOf))}::json) as f(
        workspace_id uuid, id uuid, type text, actor_kind text, actor_id uuid, subject_type text, subject_id uuid,
        payload jsonb, salt text, digest text)
    ), pending as (
      insert into activity_pending (workspace_id, activity_id) select workspace_id, id from facts
    )
    insert into activity (workspace_id, id, type, actor_kind, actor_id, subject_type, subject_id, payload, salt, digest,
      occurred_at)
    select workspace_id, id, type, actor_kind, actor_id, subject_type, subject_id, payload, decode(salt, 'hex'),
      decode(digest, 'hex'), now()
    from facts
  `.execute(tx);
  wakeAfterCommit('activity');
}

/** What the chain holds of a payload: without the salt it can neither be read nor guessed. */
export function digestOf(salt: Uint8Array, payload: unknown): Buffer {
  return createHash('sha256').update(salt).update(canonical(payload)).digest();
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

function rowOf(fact: By & NewFact) {
  const salt = randomBytes(16);
  return {
    workspace_id: fact.workspaceId,
    id: newId(),
    type: fact.type,
    actor_kind: fact.actor.kind,
    actor_id: fact.actor.kind === 'user' ? fact.actor.id : null,
    subject_type: fact.subject.type,
    subject_id: fact.subject.id,
    payload: fact.payload,
    salt: salt.toString('hex'),
    digest: digestOf(salt, fact.payload).toString('hex'),
  };
}

/** JSON with sorted keys: the database does not keep the order in which they were written. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_key, part: unknown) =>
    typeof part === 'object' && part !== null && !Array.isArray(part)
      ? Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : 1)))
      : part,
  );
}
