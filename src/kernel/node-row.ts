import { sql } from 'kysely';
import type { Tx } from './database/database.ts';
import type { Kernel } from './kernel.ts';

const FORGET_AFTER = sql`interval '7 days'`;

/** What this program does; all of it in one process for now. */
const ROLES = ['web', 'worker', 'gateway'];

export type NodeRow = {
  /** Takes nothing more to drive, so that the others count without it. */
  leave(): Promise<void>;
  /** Is marked as stopped. */
  stop(): Promise<void>;
};

/** Shows this process in `nodes`. It stays in sight by the renewals of its leases. */
export async function appearAsNode(kernel: Kernel): Promise<NodeRow> {
  const { database, node, config } = kernel;
  await database.inEngine('kernel.node_start', async tx => {
    await tx.deleteFrom('nodes').where('seen_at', '<', sql<Date>`now() - ${FORGET_AFTER}`).execute();
    if (database.engine.kind === 'embedded') await takeOverAll(tx);
    await tx
      .insertInto('nodes')
      .values({
        boot_id: node.bootId,
        node_id: node.id,
        roles: ROLES,
        max_channels: config.maxChannelsPerNode,
      })
      .execute();
  });
  const mark = (name: string, column: 'leaving_at' | 'stopped_at') =>
    database.inEngine(name, async tx => {
      await tx
        .updateTable('nodes')
        .set({ [column]: sql`now()` })
        .where('boot_id', '=', node.bootId)
        .execute();
    });
  return {
    leave: () => mark('kernel.node_leave', 'leaving_at'),
    stop: () => mark('kernel.node_stop', 'stopped_at'),
  };
}

/** A node that was not seen for two renewals counts as gone. */
export async function nodeSeen(tx: Tx, bootId: string): Promise<void> {
  await tx.updateTable('nodes').set({ seen_at: sql`now()` }).where('boot_id', '=', bootId).execute();
}

/**
 * The lock on the folder proves that every process that held a lease or a claim before is dead, so
 * nothing need wait until they expire.
 */
async function takeOverAll(tx: Tx): Promise<void> {
  await tx.updateTable('leases').set({ holder: null, expires_at: sql`now()` }).execute();
  await tx
    .updateTable('due_work')
    .set({ claimed_by: null, claimed_until: null })
    .where('claimed_by', 'is not', null)
    .execute();
  await tx
    .updateTable('jobs')
    .set({ claimed_by: null, claimed_until: null })
    .where('claimed_by', 'is not', null)
    .execute();
  await tx.updateTable('nodes').set({ stopped_at: sql`now()` }).where('stopped_at', 'is', null).execute();
}
