import type { Book } from '../../src/messages/book/index.ts';
import type { Transaction } from './store.ts';
import type { AttemptRow, MemoryDatabase } from './tables.ts';

/** The newest attempt of a delivery. */
export function readLast(db: MemoryDatabase, tx: Transaction, deliveryId: string): AttemptRow | undefined {
  let last: AttemptRow | undefined;
  for (const attempt of tx.all(db.attempts).values())
    if (attempt.deliveryId === deliveryId && (!last || attempt.number > last.number)) last = attempt;
  return last;
}

/** How many attempts of a delivery may have got through. */
export function perhapsArrived(db: MemoryDatabase, tx: Transaction, deliveryId: string): number {
  const all = [...tx.all(db.attempts).values()].filter(attempt => attempt.deliveryId === deliveryId);
  return all.filter(({ status }) => ['in_flight', 'unknown', 'accepted'].includes(status)).length;
}

type Results = Parameters<Book['settleAttempts']>[0];

/** Settled once; only `unknown` gives way, and only to evidence. */
export async function settleAttempts(
  db: MemoryDatabase,
  tx: Transaction,
  results: Results,
): Promise<Set<string>> {
  const changed = new Set<string>();
  for (const { workspaceId, channelId, deliveryId, attemptId, verdict, providerId } of results) {
    if (providerId !== null) {
      const name = `${channelId} ${providerId}`;
      await tx.lock(db.providerIds, name);
      if (!tx.get(db.providerIds, name))
        tx.write(db.providerIds, name, { workspaceId, deliveryId, attemptId });
    }
    if (!tx.get(db.attempts, attemptId)) continue;
    await tx.lock(db.attempts, attemptId);
    const attempt = tx.get(db.attempts, attemptId);
    const isEvidence = verdict.status === 'accepted' || verdict.status === 'refused';
    if (!attempt || !(attempt.status === 'in_flight' || (attempt.status === 'unknown' && isEvidence)))
      continue;
    const { status, code } = verdict;
    const wire = providerId === null ? attempt.wire : { ...attempt.wire, providerId };
    tx.write(db.attempts, attemptId, { ...attempt, status, code, wire });
    changed.add(attemptId);
  }
  return changed;
}
