import { sql } from 'kysely';
import {
  createDueWorker,
  type DueItem,
  type DueWorker,
  dropDue,
  type Kernel,
  scheduleDue,
  type Tx,
  takeDue,
} from '../kernel/index.ts';
import { WATCH_GRACE_MS } from './begin.ts';
import { deliveryKey, WATCH, watchAt } from './due-kinds.ts';
import { advance, MISSED, UNKNOWN } from './journey.ts';
import { type Change, type Locked, lockJourneys, writeJourneys } from './journeys.ts';

/**
 * Ends what waits in vain, on any node: queued beyond its catch-up window = missed, on the wire
 * without an answer = unknown, never queued again.
 */
export function createWatch(kernel: Kernel): DueWorker {
  return createDueWorker(kernel, {
    kind: WATCH,
    lanes: 'all',
    fire: items => kernel.database.inEngine('messages.watch', tx => endAll(tx, kernel, items)),
  });
}

type Watched = { of: Locked; at: Date };

/** Compares instants with each other and never with a clock, so that a skewed one cannot go in circles. */
async function endAll(tx: Tx, kernel: Kernel, items: DueItem[]): Promise<void> {
  const taken = await takeDue(tx, kernel.node.bootId, items);
  const locked = await lockJourneys(
    tx,
    taken.map(item => ({ workspaceId: item.workspaceId, deliveryId: item.subjectId })),
  );
  const watched = taken.flatMap((item): Watched[] => {
    const of = locked.get(item.subjectId);
    return of ? [{ of, at: item.dueAt }] : [];
  });
  const now = kernel.clock.now();
  const queued = watched.filter(({ of }) => of.journey.status === 'queued');
  const missed = queued.filter(({ of, at }) => at >= of.journey.catchUpUntil);
  await dropDue(
    tx,
    missed.map(({ of }) => deliveryKey(of)),
  );
  const open = await settleOverdue(
    tx,
    watched.filter(({ of }) => of.journey.status !== 'queued'),
  );
  const unknown = watched.filter(({ of }) => of.journey.status === 'in_flight' && !open.has(of.deliveryId));
  await writeJourneys(tx, [
    ...missed.map(({ of }): Change => ({ locked: of, next: advance(of.journey, 'missed', now, MISSED) })),
    ...unknown.map(({ of }): Change => ({ locked: of, next: advance(of.journey, 'unknown', now, UNKNOWN) })),
  ]);
  await scheduleDue(tx, [
    ...queued.filter(one => !missed.includes(one)).map(({ of }) => watchAt(of, of.journey.catchUpUntil)),
    ...watched.flatMap(({ of }) => {
      const deadline = open.get(of.deliveryId);
      return deadline ? [watchAt(of, new Date(deadline.getTime() + WATCH_GRACE_MS))] : [];
    }),
  ]);
}

/**
 * Ends the attempts that are overdue; one whose message is known to have arrived counts as accepted.
 * Answers the deadlines of those that are still within their time, by delivery.
 */
async function settleOverdue(tx: Tx, watched: Watched[]): Promise<Map<string, Date>> {
  if (watched.length === 0) return new Map();
  const keys = watched.map(({ of, at }) => ({
    w: of.workspaceId,
    d: of.deliveryId,
    at,
    status: of.journey.status === 'in_flight' ? 'unknown' : 'accepted',
  }));
  const { rows } = await sql<{ d: string; deadline: Date | null }>`
    with k as (
      select * from json_to_recordset(${JSON.stringify(keys)}::json) as k(w uuid, d uuid, at timestamptz, status text)
    ), ended as (
      update attempts a set status = k.status, settled_at = now(),
        code = case k.status when 'unknown' then 'timeout' end,
        detail = case k.status when 'unknown' then ${UNKNOWN.detail} end
      from k where a.workspace_id = k.w and a.delivery_id = k.d and a.status = 'in_flight' and a.deadline_at <= k.at
    )
    select k.d, max(a.deadline_at) as deadline
    from k join attempts a on a.workspace_id = k.w and a.delivery_id = k.d
    where a.status = 'in_flight' and a.deadline_at > k.at
    group by k.d
  `.execute(tx);
  return new Map(rows.flatMap(row => (row.deadline ? [[row.d, row.deadline] as const] : [])));
}
