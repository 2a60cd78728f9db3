import { sql } from 'kysely';
import type { Kernel } from './kernel.ts';

const SEEN_EVERY_MS = 15_000;
const FORGET_AFTER = sql`interval '7 days'`;

/** Shows this process in `nodes` while it runs. Returns what marks it as stopped. */
export async function appearAsNode(kernel: Kernel): Promise<() => Promise<void>> {
  const { database, node, log } = kernel;
  await database.inEngine('kernel.node_start', async tx => {
    await tx.deleteFrom('nodes').where('seen_at', '<', sql<Date>`now() - ${FORGET_AFTER}`).execute();
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
