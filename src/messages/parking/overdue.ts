import { AppError, type Author, dropDue, type Kernel, scheduleDue, type Tx } from '../../kernel/index.ts';
import { lockJourneys, writeJourneys } from '../book/index.ts';
import { deliveryKey, watchAt, watchKey } from '../due-kinds.ts';
import { advance, MISSED_WHILE_PARKED, reopen } from '../journey.ts';
import { countKept, type Parkable, someOverdue, sumOf } from './rows.ts';

/** What becomes of what is later than its catch-up window allows: it goes out all the same, or is missed. */
export type Overdue = 'send' | 'miss';

const BATCH = 1_000;

/** 422 with the counts when arming `of` would set something overdue free. */
export async function refuseUndecided(tx: Tx, of: Parkable): Promise<void> {
  const { waiting, overdue } = sumOf(await countKept(tx, of));
  if (overdue === 0) return;
  const messages = overdue === 1 ? '1 message is' : `${overdue} messages are`;
  const detail = `${messages} later than planned by now. Choose send or miss in \`overdue\`.`;
  throw new AppError('validation_failed', detail, {
    fields: [{ path: 'overdue', detail }],
    extra: { waiting, overdue },
  });
}

/** Decides about one batch of what `of` alone keeps back; false when there is nothing left to decide. */
export async function decideSome(
  tx: Tx,
  by: Author & { kernel: Kernel },
  of: Parkable,
  overdue: Overdue,
): Promise<boolean> {
  const keys = await someOverdue(tx, of, BATCH);
  if (keys.length === 0) return false;
  const now = by.kernel.clock.now();
  const waiting = [...(await lockJourneys(tx, keys)).values()].filter(
    ({ journey }) => journey.status === 'queued',
  );
  const changes = waiting.map(locked => ({
    locked,
    next:
      overdue === 'send'
        ? reopen(locked.journey, now)
        : advance(locked.journey, 'missed', now, MISSED_WHILE_PARKED),
  }));
  await writeJourneys(tx, changes, { actor: by.actor, address: by.address });
  if (overdue === 'send')
    await scheduleDue(
      tx,
      changes.map(({ locked, next }) => watchAt(locked, next.catchUpUntil)),
    );
  else
    await dropDue(
      tx,
      waiting.flatMap(locked => [deliveryKey(locked), watchKey(locked)]),
    );
  return true;
}
