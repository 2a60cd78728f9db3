import { withinChannels } from '../channels/index.ts';
import {
  AppError,
  authorOf,
  cancelDue,
  inWorkspace,
  notFound,
  record,
  type Scope,
  scheduleDue,
} from '../kernel/index.ts';
import { messageFact } from './activity.ts';
import { lockJourneys, writeJourneys } from './book/index.ts';
import { DELIVERY, deliveryAt, WATCH, watchAt } from './due-kinds.ts';
import { advance, GIVEN_UP, type Journey, sendAgain } from './journey.ts';
import type { Resolution } from './schema.ts';

/**
 * What a person decides about a message that got no answer. 409 `illegal_state` when it is not unknown (any more):
 * evidence or another person was faster.
 */
export function resolve(scope: Scope, messageId: string, as: Resolution): Promise<void> {
  return inWorkspace(scope, async tx => {
    const row = await tx
      .selectFrom('deliveries')
      .select('id')
      .where('workspace_id', '=', scope.workspaceId)
      .where('message_id', '=', messageId)
      .where(withinChannels(scope, 'deliveries.channel_id'))
      .executeTakeFirst();
    const key = { workspaceId: scope.workspaceId, deliveryId: row?.id ?? '' };
    const locked = row && (await lockJourneys(tx, [key])).get(row.id);
    if (!locked) throw notFound();
    if (locked.journey.status !== 'unknown') throw refuse(locked.journey);
    const next = decided(locked.journey, as, scope.kernel.clock.now());
    await writeJourneys(tx, [{ locked, next }], authorOf(scope));
    for (const kind of [DELIVERY, WATCH]) await cancelDue(tx, scope.workspaceId, kind, [key.deliveryId]);
    if (next.status === 'queued')
      await scheduleDue(tx, [deliveryAt(locked, next.dueAt), watchAt(locked, next.catchUpUntil)]);
    const fact = messageFact('message.resolved', messageId, { delivery_id: key.deliveryId, as });
    await record(tx, scope, fact);
  });
}

function decided(journey: Journey, as: Resolution, now: Date): Journey {
  switch (as) {
    case 'arrived':
      return advance(journey, 'sent', now);
    case 'send_again':
      return sendAgain(journey, now);
    case 'give_up':
      return advance(journey, 'failed', now, GIVEN_UP);
  }
}

function refuse({ status }: Journey): AppError {
  return new AppError(
    'illegal_state',
    `Only a message that is unknown waits for a decision. This one is ${status.replace('_', ' ')}; load it again.`,
    { extra: { delivery_status: status } },
  );
}
