import { mayActOn } from '../../channels/index.ts';
import { inWorkspace, type Scope, type Tx } from '../../kernel/index.ts';
import type { Parking, Parkings } from '../schema.ts';
import { countWaiting, sumOf } from './rows.ts';

type InstanceParking = { reason: string; since: Date };

/** What the operator has said about the whole installation; undefined = it is not parked. */
export function readInstanceParking(tx: Tx): Promise<InstanceParking | undefined> {
  return tx.selectFrom('instance_parking').select(['reason', 'since']).executeTakeFirst();
}

/** All that is parked, widest first, and what it keeps back. */
export function readParkings(scope: Scope): Promise<Parkings> {
  return inWorkspace(scope, async tx => {
    const instance = await readInstanceParking(tx);
    const shows = await mayActOn(scope);
    const all = await tx
      .selectFrom('parkings')
      .select(['channel_id', 'reason', 'since', 'created_by'])
      .where('workspace_id', '=', scope.workspaceId)
      .orderBy('channel_id', order => order.asc().nullsFirst())
      .execute();
    const rows = all.filter(row => row.channel_id === null || shows(row.channel_id));
    if (!instance && rows.length === 0) return { data: [], waiting: 0, overdue: 0 };
    const counts = (await countWaiting(tx, { workspaceId: scope.workspaceId })).filter(one =>
      shows(one.channelId),
    );
    const data = rows.map(
      (row): Parking => ({
        of: row.channel_id === null ? 'workspace' : 'channel',
        channel_id: row.channel_id,
        reason: row.reason,
        since: row.since.toISOString(),
        parked_by: row.created_by,
        ...sumOf(counts.filter(one => row.channel_id === null || one.channelId === row.channel_id)),
      }),
    );
    if (instance) {
      const { reason, since } = instance;
      const whole = {
        channel_id: null,
        reason,
        since: since.toISOString(),
        parked_by: null,
        ...sumOf(counts),
      };
      data.unshift({ of: 'instance', ...whole });
    }
    const whole = data.some(one => one.of !== 'channel');
    return {
      data,
      ...sumOf(counts.filter(one => whole || rows.some(row => row.channel_id === one.channelId))),
    };
  });
}
