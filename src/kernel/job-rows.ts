import { type RawBuilder, sql } from 'kysely';
import type { Database, Tx } from './database/database.ts';
import { newId } from './ids.ts';
import { INSTANCE } from './scope.ts';
import { wakeAfterCommit } from './wake.ts';

/** One claimed try of a job; `tries` counts this one. */
export type ClaimedJob = {
  workspaceId: string;
  id: string;
  name: string;
  payload: unknown;
  tries: number;
};

/** How many jobs of a name wait, and how many were given up. */
export type JobCount = { name: string; waiting: number; dead: number };

const FORGET_AFTER = sql`interval '30 days'`;

/**
 * Adds a job in the running transaction: it is committed with it or not at all, and runs at least once after the commit,
 * or from `dueAt` on. It belongs to the workspace that the transaction sees, else to the installation. The payload is
 * stored as it is, so nothing secret belongs into it.
 */
export async function addJob(tx: Tx, name: string, payload: object, dueAt?: Date): Promise<void> {
  await sql`
    insert into jobs (workspace_id, id, name, payload, due_at)
    values (
      coalesce(convoke_workspace(), ${INSTANCE}), ${newId()}, ${name}, ${JSON.stringify(payload)}::jsonb,
      coalesce(${dueAt ?? null}::timestamptz, now())
    )`.execute(tx);
  if (dueAt === undefined) wakeAfterCommit('jobs');
}

/** What a node does with the rows of jobs, each as a transaction of its own. */
export function jobRows(database: Database, bootId: string) {
  /** Only the holder of this very try may say what became of it. */
  const isMine = (job: ClaimedJob): RawBuilder<boolean> =>
    sql`workspace_id = ${job.workspaceId} and id = ${job.id} and claimed_by = ${bootId} and tries = ${job.tries}`;
  const run = (name: string, statement: RawBuilder<unknown>) =>
    database.inEngine(name, tx => statement.execute(tx)).then(() => undefined);
  return {
    /** Claims what is due, the longest waiting first. A claim that is not used falls free after `claimMs`. */
    async claim(names: string[], limit: number, claimMs: number): Promise<ClaimedJob[]> {
      const { rows } = await database.inEngine('jobs.claim', tx =>
        sql<ClaimedJob>`
          with chosen as materialized (
            select workspace_id, id from jobs
            where dead_at is null and due_at <= now() and name = any(${names})
              and (claimed_until is null or claimed_until <= now())
            order by due_at limit ${limit} for update skip locked
          )
          update jobs j set claimed_by = ${bootId}, tries = j.tries + 1,
            claimed_until = now() + ${claimMs}::float8 * interval '1 millisecond'
          from chosen c where j.workspace_id = c.workspace_id and j.id = c.id
          returning j.workspace_id as "workspaceId", j.id, j.name, j.payload, j.tries`.execute(tx),
      );
      return rows;
    },
    done: (job: ClaimedJob) => run('jobs.done', sql`delete from jobs where ${isMine(job)}`),
    again: (job: ClaimedJob, delayMs: number, error: string) =>
      run(
        'jobs.again',
        sql`update jobs set claimed_by = null, claimed_until = null, error = ${error},
            due_at = now() + ${delayMs}::float8 * interval '1 millisecond'
          where ${isMine(job)}`,
      ),
    bury: (job: ClaimedJob, error: string) =>
      run(
        'jobs.bury',
        sql`update jobs set claimed_by = null, claimed_until = null, error = ${error}, dead_at = now()
          where ${isMine(job)}`,
      ),
    forgetDead: () => run('jobs.forget', sql`delete from jobs where dead_at < now() - ${FORGET_AFTER}`),
    async count(): Promise<JobCount[]> {
      const { rows } = await database.inEngine('jobs.count', tx =>
        sql<JobCount>`
          select name, (count(*) filter (where dead_at is null))::int as waiting,
            (count(*) filter (where dead_at is not null))::int as dead
          from jobs group by name`.execute(tx),
      );
      return rows;
    },
  };
}

export type JobRows = ReturnType<typeof jobRows>;
