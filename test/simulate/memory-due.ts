import type { DueItem, DueKey, DueRows } from '../../src/kernel/index.ts';
import type { Transaction } from './store.ts';
import { type DueRow, dueKeyOf, type MemoryDatabase } from './tables.ts';

type Claim = Parameters<DueRows['claimInOrder']>[0];

const WAKE_WITHIN_MS = 10_000;

export async function scheduleDue(db: MemoryDatabase, tx: Transaction, items: DueItem[]): Promise<void> {
  for (const item of items) {
    await tx.put(db.due, dueKeyOf(item), { ...item, claimedBy: null, claimedUntil: null });
    if (item.dueAt.getTime() < tx.now.getTime() + WAKE_WITHIN_MS)
      tx.afterCommit(() => db.wake(`due:${item.kind}`));
  }
}

export async function dropDue(db: MemoryDatabase, tx: Transaction, keys: DueKey[]): Promise<void> {
  for (const key of keys) if (tx.get(db.due, dueKeyOf(key))) await tx.put(db.due, dueKeyOf(key), undefined);
}

export async function takeDue(
  db: MemoryDatabase,
  tx: Transaction,
  bootId: string,
  items: DueItem[],
): Promise<DueItem[]> {
  const taken: DueItem[] = [];
  for (const item of items) {
    const key = dueKeyOf(item);
    const ours = () => {
      const row = tx.get(db.due, key);
      return row?.claimedBy === bootId && row.dueAt.getTime() === item.dueAt.getTime();
    };
    if (!ours()) continue;
    await tx.lock(db.due, key);
    if (!ours()) continue;
    tx.write(db.due, key, undefined);
    taken.push(item);
  }
  return taken;
}

/** Every call one transaction; `carry` brings it to where the rows are. */
export function memoryDueRows(
  db: MemoryDatabase,
  carry: <T>(work: (tx: Transaction) => Promise<T> | T) => Promise<T>,
): DueRows {
  return {
    claimInOrder: claim =>
      carry(tx => ({
        items: claimOf(db, tx, claim, () => true, claim.limit),
        databaseNow: tx.now.getTime(),
      })),
    claimByLane: (claim, { names, perLane, owned }) =>
      carry(tx => ({
        items: names
          .flatMap(lane => claimOf(db, tx, claim, row => row.lane === lane, perLane, owned))
          .slice(0, claim.limit),
        databaseNow: tx.now.getTime(),
      })),
    readyLanes: claim => carry(tx => [...new Set(readyOf(db, tx, claim).map(([, row]) => row.lane))]),
    giveBack: (bootId, items, delayMs) =>
      carry(async tx => {
        for (const key of items.map(dueKeyOf)) {
          if (tx.get(db.due, key)?.claimedBy !== bootId) continue;
          await tx.lock(db.due, key);
          const row = tx.get(db.due, key);
          const claimedUntil = delayMs > 0 ? new Date(tx.now.getTime() + delayMs) : null;
          if (row?.claimedBy === bootId) tx.write(db.due, key, { ...row, claimedBy: null, claimedUntil });
        }
      }),
    giveBackAll: (bootId, kind) =>
      carry(async tx => {
        const ours = (row: DueRow | undefined) => row?.kind === kind && row.claimedBy === bootId;
        for (const key of [...tx.all(db.due)].filter(([, row]) => ours(row)).map(([key]) => key)) {
          await tx.lock(db.due, key);
          const row = tx.get(db.due, key);
          if (row && ours(row)) tx.write(db.due, key, { ...row, claimedBy: null, claimedUntil: null });
        }
      }),
  };
}

function readyOf(
  db: MemoryDatabase,
  tx: Transaction,
  { kind, aheadMs, bootId }: Claim,
  owned = false,
): [string, DueRow][] {
  const until = tx.now.getTime() + aheadMs;
  return [...tx.all(db.due)]
    .filter(
      ([, row]) =>
        row.kind === kind &&
        row.dueAt.getTime() <= until &&
        (row.claimedUntil === null ||
          row.claimedUntil <= tx.now ||
          (owned && row.claimedBy !== null && row.claimedBy !== bootId)),
    )
    .sort(([, a], [, b]) => a.dueAt.getTime() - b.dueAt.getTime());
}

/** What somebody else has locked is passed over. */
function claimOf(
  db: MemoryDatabase,
  tx: Transaction,
  claim: Claim,
  isWanted: (row: DueRow) => boolean,
  limit: number,
  owned = false,
): DueItem[] {
  const claimed: DueItem[] = [];
  for (const [key, row] of readyOf(db, tx, claim, owned)) {
    if (claimed.length >= limit) break;
    if (!isWanted(row) || !tx.tryLock(db.due, key)) continue;
    const from = Math.max(row.dueAt.getTime(), tx.now.getTime());
    const claimedUntil = new Date(from + claim.leaseMs);
    tx.write(db.due, key, { ...row, claimedBy: claim.bootId, claimedUntil });
    const { workspaceId, kind, subjectId, lane, dueAt, priority } = row;
    claimed.push({ workspaceId, kind, subjectId, lane, dueAt, priority });
  }
  return claimed;
}
