import { type Expression, type SqlBool, sql } from 'kysely';
import { z } from 'zod';
import {
  addJob,
  deleteRows,
  inWorkspace,
  type Jobs,
  type Kernel,
  mintScope,
  purgeChain,
  recordForInstance,
  type Scope,
  type Tx,
  workspaceTables,
} from '../../kernel/index.ts';
import { PURGE_JOB } from './workspaces.ts';

/**
 * Takes the channels of a workspace away and answers whether all have been let go of, so that nobody writes for them any
 * more; asked again until it is so. Filled by main.
 */
export type ChannelsRelease = (scope: Scope) => Promise<boolean>;

/** What is left to do: nothing, more at once, or more once somebody else has done their part. */
export type PurgeOutcome = 'done' | 'goes_on' | 'waits';

export type PurgeTimes = {
  /** How many rows go in one transaction, so that none is long. */
  rowsAtOnce: number;
  /** How long one job works before it hands on to the next. */
  sliceMs: number;
  /** How soon it looks again for what it waits for. */
  lookMs: number;
};

const TIMES: PurgeTimes = { rowsAtOnce: 2_000, sliceMs: 30_000, lookMs: 5_000 };
/** A number whose provider cannot be reached is deleted all the same in the end; its device then stays linked there. */
const PATIENCE = sql`interval '1 day'`;
/** Tried once an hour in the end, for weeks: a purge is not given up because the database was away for a while. */
const MOST_TRIES = 1_000;
const TALLY = 'purge_tallies';

/**
 * Purges each deleted workspace when its days are over. Added by `deleteWorkspace`, and by itself to go on. A node purges
 * one at a time, so that other jobs never wait for purges.
 */
export function registerPurgeJob(
  jobs: Jobs,
  kernel: Kernel,
  release: ChannelsRelease,
  times: Partial<PurgeTimes> = {},
): void {
  const options = { payload: z.object({ workspace_id: z.string() }), mostTries: MOST_TRIES };
  const { lookMs } = { ...TIMES, ...times };
  let isBusy = false;
  const purgeAlone = async (id: string, signal: AbortSignal): Promise<PurgeOutcome> => {
    if (isBusy) return 'waits';
    isBusy = true;
    try {
      return await purgeWorkspace(kernel, id, release, { ...times, signal });
    } finally {
      isBusy = false;
    }
  };
  jobs.handle(PURGE_JOB, options, async (payload, { signal }) => {
    const outcome = await purgeAlone(payload.workspace_id, signal);
    // Called off, this very job is tried again.
    if (outcome === 'done' || signal.aborted) return;
    const again = outcome === 'waits' ? new Date(kernel.clock.now().getTime() + lookMs) : undefined;
    await kernel.database.inEngine('identity.purge_on', tx => addJob(tx, PURGE_JOB, payload, again));
  });
}

/**
 * Deletes the rows of a workspace whose days are over, in many short transactions: what is due, the channels, then table
 * by table what points to others first, the record of what happened, and in the end the workspace itself. Safe to end
 * anywhere, to repeat, and to run twice at once. A workspace that was kept is left alone.
 */
export async function purgeWorkspace(
  kernel: Kernel,
  workspaceId: string,
  release: ChannelsRelease,
  options: Partial<PurgeTimes> & { signal?: AbortSignal } = {},
): Promise<PurgeOutcome> {
  const begun = await begin(kernel, workspaceId);
  if (!begun) return 'done';
  const scope = mintScope(kernel, workspaceId, { kind: 'system' });
  const { rowsAtOnce, sliceMs } = { ...TIMES, ...options };
  const until = kernel.clock.monotonic() + sliceMs;
  const isOver = () => options.signal?.aborted === true || kernel.clock.monotonic() >= until;
  const empty = (name: string, some: (tx: Tx) => Promise<number>) => emptied(scope, name, some, isOver);

  await empty('due_work', tx => deleteRows(tx, scope, { name: 'due_work', partitioned: false }, rowsAtOnce));
  if (!(await release(scope)) && begun.isPatient) return 'waits';
  const tables = (await workspaceTables(scope)).filter(({ name }) => name !== TALLY);
  for (let gone = -1; gone !== 0 && !isOver(); ) {
    gone = 0;
    for (const table of tables) {
      gone += await empty(table.name, tx => deleteRows(tx, scope, table, rowsAtOnce));
    }
  }
  if (isOver()) return 'goes_on';
  if (await isUnsealed(scope)) return 'waits';
  await empty('activity', async tx => ((await isThere(tx, workspaceId)) ? purgeChain(tx, rowsAtOnce) : 0));
  if (isOver()) return 'goes_on';
  return (await finish(kernel, workspaceId)) ? 'done' : 'waits';
}

/** From here on nobody can keep the workspace. Undefined when it was kept, is gone, or has days left. */
function begin(kernel: Kernel, id: string): Promise<{ isPatient: boolean } | undefined> {
  return kernel.database.inEngine('identity.purge_begin', tx =>
    tx
      .updateTable('workspaces')
      .set({ purge_began_at: sql<Date>`coalesce(purge_began_at, now())` })
      .where('id', '=', id)
      .where('deletion_due_at', '<=', sql<Date>`now()`)
      .returning(sql<boolean>`purge_began_at > now() - ${PATIENCE}`.as('isPatient'))
      .executeTakeFirst(),
  );
}

/** Transaction by transaction until nothing is left or the time is over. Each counts what it deletes. */
async function emptied(
  scope: Scope,
  name: string,
  some: (tx: Tx) => Promise<number>,
  isOver: () => boolean,
): Promise<number> {
  let all = 0;
  while (!isOver()) {
    const count = await inWorkspace(scope, async tx => {
      const gone = await some(tx);
      if (gone > 0) await tally(tx, scope, name, gone);
      return gone;
    });
    if (count === 0) break;
    all += count;
  }
  return all;
}

function tally(tx: Tx, scope: Scope, name: string, rows: number) {
  return tx
    .insertInto(TALLY)
    .values({ workspace_id: scope.workspaceId, name, rows })
    .onConflict(conflict =>
      conflict
        .columns(['workspace_id', 'name'])
        .doUpdateSet({ rows: sql<number>`${sql.table(TALLY)}.rows + excluded.rows` }),
    )
    .execute();
}

/** What was recorded last still has to get its place in the chain, so that the head stands for all of it. */
function isUnsealed(scope: Scope): Promise<boolean> {
  return inWorkspace(scope, async tx => {
    const row = await tx
      .selectFrom('activity_pending')
      .select('id')
      .where('workspace_id', '=', scope.workspaceId)
      .limit(1)
      .executeTakeFirst();
    return row !== undefined;
  });
}

/** Another purge of the same workspace may have come to its end meanwhile. */
async function isThere(tx: Tx, id: string): Promise<boolean> {
  const row = await tx.selectFrom('workspaces').select('id').where('id', '=', id).executeTakeFirst();
  return row !== undefined;
}

/** The workspace itself, in one transaction with the fact of it. False when something was recorded meanwhile. */
function finish(kernel: Kernel, id: string): Promise<boolean> {
  return kernel.database.inEngine('identity.purge_end', async tx => {
    const workspace = await tx
      .selectFrom('workspaces as w')
      .select(['w.slug', 'w.created_at'])
      .select(of => [
        hasRows(of.selectFrom('activity').select('id').where('workspace_id', '=', id).limit(1)).as(
          'hasFacts',
        ),
        hasRows(of.selectFrom('activity_pending').select('id').where('workspace_id', '=', id).limit(1)).as(
          'hasUnsealed',
        ),
      ])
      .where('w.id', '=', id)
      .where('w.purge_began_at', 'is not', null)
      .forUpdate()
      .executeTakeFirst();
    if (!workspace) return true;
    if (workspace.hasFacts || workspace.hasUnsealed) return false;
    const tallies = await tx
      .selectFrom(TALLY)
      .select(['name', 'rows'])
      .where('workspace_id', '=', id)
      .orderBy('name')
      .execute();
    const head = await tx
      .deleteFrom('activity_heads')
      .where('workspace_id', '=', id)
      .returning(['seq', 'hash'])
      .executeTakeFirst();
    await tx.deleteFrom('workspaces').where('id', '=', id).execute();
    await recordForInstance(
      tx,
      { actor: { kind: 'system' } },
      {
        type: 'workspace.purged',
        subject: { type: 'workspace', id },
        payload: {
          slug: workspace.slug,
          rows: Object.fromEntries(tallies.map(({ name, rows }) => [name, Number(rows)])),
          head: head ? `${head.seq}:${head.hash.toString('hex')}` : null,
        },
      },
    );
    return true;
  });
}

function hasRows(rows: Expression<unknown>) {
  return sql<SqlBool>`exists ${rows}`;
}
