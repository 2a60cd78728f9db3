import { createHash } from 'node:crypto';
import { sql } from 'kysely';
import { inWorkspace, type Tx } from '../database/database.ts';
import { AppError } from '../errors.ts';
import type { Kernel } from '../kernel.ts';
import type { Actor, Scope } from '../scope.ts';
import type { Answer } from './answer.ts';

type Repeatable = Answer & { replayed: boolean };

/** The key that the caller chose, or undefined. Throws 400 for one that is not 1 to 200 printable characters. */
export function readIdempotencyKey(header: string | string[] | undefined): string | undefined {
  if (header === undefined) return undefined;
  if (typeof header !== 'string' || !/^[\x21-\x7e]{1,200}$/.test(header)) {
    const detail = 'Use 1 to 200 printable characters without spaces, such as a uuid.';
    throw new AppError('invalid_request', `Idempotency-Key: ${detail}`, {
      fields: [{ path: 'Idempotency-Key', detail }],
    });
  }
  return header;
}

/**
 * Equal for requests of the same person or program that ask for the same: `body` is taken as understood, whatever the
 * order of its fields.
 */
export function requestHash(actor: Actor, method: string, url: string, body: unknown): Buffer {
  const who = 'id' in actor ? `${actor.kind} ${actor.id}` : actor.kind;
  return createHash('sha256')
    .update(`${who}\n${method} ${url}\n${canonical(body)}`)
    .digest();
}

/**
 * Does `work` once per key and repeats its answer for 24 hours. The key, the effect and the stored
 * answer commit together; a concurrent twin waits on the key and then gets the same answer. What
 * fails is rolled back with its key and may be tried again.
 * Throws 409 `idempotency_key_reused` when the key came with another request before, or from somebody else: what one may
 * see of an answer another may not.
 */
export function once(
  scope: Scope,
  key: string,
  hash: Buffer,
  work: () => Promise<Answer>,
): Promise<Repeatable> {
  return inWorkspace(scope, async tx => {
    if (!(await takeKey(tx, scope, key, hash))) return repeat(tx, scope, key, hash);
    const answer = await work();
    await tx
      .updateTable('idempotency_keys')
      .set({ status: answer.status, body: JSON.stringify({ headers: answer.headers, body: answer.body }) })
      .where('workspace_id', '=', scope.workspaceId)
      .where('key', '=', key)
      .execute();
    return { ...answer, replayed: false };
  });
}

/** Deletes the keys whose 24 hours are over. */
export async function purgeIdempotencyKeys(kernel: Kernel): Promise<void> {
  await kernel.database.inEngine('kernel.purge_idempotency_keys', tx =>
    tx.deleteFrom('idempotency_keys').where('expires_at', '<', sql<Date>`now()`).execute(),
  );
}

async function takeKey(tx: Tx, scope: Scope, key: string, hash: Buffer): Promise<boolean> {
  const taken = await tx
    .insertInto('idempotency_keys')
    .values({
      workspace_id: scope.workspaceId,
      key,
      request_hash: hash,
      expires_at: sql`now() + interval '24 hours'`,
    })
    .onConflict(conflict =>
      conflict
        .columns(['workspace_id', 'key'])
        .doUpdateSet(given => ({
          request_hash: given.ref('excluded.request_hash'),
          expires_at: given.ref('excluded.expires_at'),
          status: null,
          body: null,
        }))
        .where('idempotency_keys.expires_at', '<=', sql<Date>`now()`),
    )
    .returning('key')
    .executeTakeFirst();
  return taken !== undefined;
}

async function repeat(tx: Tx, scope: Scope, key: string, hash: Buffer): Promise<Repeatable> {
  const stored = await tx
    .selectFrom('idempotency_keys')
    .select(['request_hash', 'status', 'body'])
    .where('workspace_id', '=', scope.workspaceId)
    .where('key', '=', key)
    .executeTakeFirstOrThrow();
  if (!hash.equals(stored.request_hash)) {
    throw new AppError(
      'idempotency_key_reused',
      'This Idempotency-Key came with another request before, or from somebody else. Use a new key for a new request.',
    );
  }
  if (stored.status === null || stored.body === null)
    throw new Error('An idempotency key was committed without its answer.');
  const { headers, body } = JSON.parse(stored.body) as Pick<Answer, 'headers' | 'body'>;
  return { status: stored.status, headers, body, replayed: true };
}

function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join()}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'null';
  const entries = Object.entries(value).filter(([, inner]) => inner !== undefined);
  entries.sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${entries.map(([key, inner]) => `${JSON.stringify(key)}:${canonical(inner)}`).join()}}`;
}
