import { sql } from 'kysely';
import type { Tx } from './database/database.ts';
import type { Kernel } from './kernel.ts';

const SEEN_EVERY_MS = 15_000;
const FORGET_AFTER = sql`interval '7 days'`;

/** Shows this process in `nodes` while it runs. Returns what marks it as stopped. */
export async function appearAsNode(kernel: Kernel): Promise<() => Promise<void>> {
  const { database, node, log } = kernel;
  await database.inEngine('kernel.node_start', async tx => {
    await tx.deleteFrom('nodes').where('seen_at', '<', sql<Date>`now() - ${FORGET_AFTER}`).execute();
    if (database.engine.kind === 'embedded') await takeOverAll(tx);
    await tx.insertInto('nodes').values({ boot_id: node.bootId, node_id: node.id }).execute();
  });
  const seen = () =>
    database.inEngine('kernel.node_seen', tx =>
      tx.updateTable('nodes').set({ seen_at: sql`now()` }).where('boot_id', '=', node.bootId).execute(),
    );
  const timer = setInterval(() => {
    seen().catch(error => log.warn({ event: 'kernel.node_seen', err: error }));
  }, SEEN_EVERY_MS);
  timer.unref();
  return async () => {
    clearInterval(timer);
    await database.inEngine('kernel.node_stop', tx =>
      tx.updateTable('nodes').set({ stopped_at: sql`now()` }).where('boot_id', '=', node.bootId).execute(),
    );
  };
}

/**
 * The lock on the folder proves that every process that held a lease or a claim before is dead, so
 * nothing need wait until they expire.
 */
async function takeOverAll(tx: Tx): Promise<void> {
  await tx.updateTable('leases').set({ expires_at: sql`now()` }).execute();
  await tx
    .updateTable('due_work')
    .set({ claimed_by: null, claimed_until: null })
    .where('claimed_by', 'is not', null)
    .execute();
  await tx.updateTable('nodes').set({ stopped_at: sql`now()` }).where('stopped_at', 'is', null).execute();
}
