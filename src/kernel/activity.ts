import { hash } from 'node:crypto';
import { z } from 'zod';
import { inWorkspace, type Tx } from './database/database.ts';
import { bytes, kept, list, texts } from './database/kept.ts';
import { Id, Instant } from './http/shapes.ts';
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

/**
 * Sealed facts of the workspace after a `seq`, oldest first, or the newest ones. Read by `seq`, no fact is ever missed.
 */
export async function readActivity(
  scope: Scope,
  { afterSeq, limit }: { afterSeq?: number | undefined; limit: number },
): Promise<Fact[]> {
  const rows = await inWorkspace(scope, tx => {
    const sealed = tx
      .selectFrom('activity_seals as s')
      .innerJoin('activity as a', join =>
        join.onRef('a.workspace_id', '=', 's.workspace_id').onRef('a.id', '=', 's.activity_id'),
      )
      .select(['s.seq', 'a.id', 'a.type', 'a.actor_kind', 'a.actor_id', 'a.subject_type', 'a.subject_id'])
      .select(['a.payload', 'a.occurred_at'])
      .where('s.workspace_id', '=', scope.workspaceId)
      .limit(limit);
    return afterSeq === undefined
      ? sealed.orderBy('s.seq', 'desc').execute()
      : sealed.where('s.seq', '>', afterSeq).orderBy('s.seq').execute();
  });
  return rows.map(row => ({
    seq: row.seq,
    id: row.id,
    type: row.type,
    actor: { kind: row.actor_kind as Actor['kind'], id: row.actor_id },
    subject: { type: row.subject_type, id: row.subject_id },
    payload: row.payload,
    occurred_at: row.occurred_at.toISOString(),
  }));
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
