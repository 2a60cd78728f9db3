import type { z } from 'zod';
import { AppError, inWorkspace, record, type Scope, wakeAfterCommit } from '../../kernel/index.ts';
import type { PacingFacts } from '../activity.ts';
import type { PacingChange } from '../schema.ts';
import type { Setting, Settings } from './limits.ts';
import { PACING } from './pace.ts';
import { adviceFor } from './queries.ts';

/**
 * Holds for what enters the wire from now on. 412 `version_conflict` when `ifMatch` is not the version stored, 409
 * for a channel that is not paced.
 */
export function changePacing(
  scope: Scope,
  channelId: string,
  change: z.output<typeof PacingChange>,
  ifMatch: number | undefined,
): Promise<void> {
  return inWorkspace(scope, async tx => {
    await adviceFor(tx, scope, channelId);
    const place = { workspace_id: scope.workspaceId, channel_id: channelId };
    await tx
      .insertInto('pacing_settings')
      .values({ ...place, version: 0 })
      .onConflict(conflict => conflict.doNothing())
      .execute();
    const before = await tx
      .selectFrom('pacing_settings')
      .selectAll()
      .where('workspace_id', '=', place.workspace_id)
      .where('channel_id', '=', channelId)
      .forUpdate()
      .executeTakeFirstOrThrow();
    if (ifMatch !== undefined && ifMatch !== before.version)
      throw new AppError(
        'version_conflict',
        'Somebody changed the pace of this channel meanwhile. Load it again, then repeat your change.',
        { extra: { version: before.version } },
      );
    const of = (setting: Setting) => (change[setting] === undefined ? before[setting] : change[setting]);
    const next: Settings = {
      messages_per_minute: of('messages_per_minute'),
      groups_per_minute: of('groups_per_minute'),
      new_people_per_day: of('new_people_per_day'),
      warm_up_days: of('warm_up_days'),
    };
    await tx
      .updateTable('pacing_settings')
      .set({ ...next, version: before.version + 1, updated_at: scope.kernel.clock.now() })
      .where('workspace_id', '=', place.workspace_id)
      .where('channel_id', '=', channelId)
      .execute();
    const payload: PacingFacts['pacing.changed'] = next;
    await record(tx, scope, {
      type: 'pacing.changed',
      subject: { type: 'channel', id: channelId },
      payload,
    });
    wakeAfterCommit(PACING, channelId);
  });
}
