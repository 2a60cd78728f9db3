import type { LeaseRows } from '../../src/kernel/lease-rows.ts';
import type { Transaction } from './store.ts';
import type { MemoryDatabase } from './tables.ts';

/** Every call one transaction; `carry` brings it to where the rows are. */
export function memoryLeaseRows(
  db: MemoryDatabase,
  carry: <T>(work: (tx: Transaction) => Promise<T> | T) => Promise<T>,
): LeaseRows {
  return {
    take: ({ name, holder, ttlMs, graceMs, again }) =>
      carry(async tx => {
        const row = tx.get(db.leases, name);
        const freeFrom = tx.now.getTime() - graceMs;
        const isFree =
          !row ||
          row.holder === null ||
          row.expiresAt.getTime() <= freeFrom ||
          (again && row.holder === holder);
        if (!isFree || !tx.tryLock(db.leases, name)) return undefined;
        const fence = (row?.fence ?? 0) + 1;
        tx.write(db.leases, name, {
          holder,
          fence,
          takenAt: tx.now,
          expiresAt: new Date(tx.now.getTime() + ttlMs),
        });
        return fence;
      }),
    renew: ({ holder, leases, ttlMs }) =>
      carry(
        tx =>
          new Map(
            leases.map(({ name, fence }) => {
              const row = tx.get(db.leases, name);
              if (row?.holder !== holder || row.fence !== fence || row.expiresAt <= tx.now)
                return [name, 'gone'];
              if (!tx.tryLock(db.leases, name, 'no key update')) return [name, 'kept'];
              tx.write(db.leases, name, { ...row, expiresAt: new Date(tx.now.getTime() + ttlMs) });
              return [name, 'renewed'];
            }),
          ),
      ),
    free: (holder, leases) =>
      carry(async tx => {
        for (const { name, fence } of leases) {
          await tx.lock(db.leases, name, 'no key update');
          const row = tx.get(db.leases, name);
          if (row?.holder === holder && row.fence === fence)
            tx.write(db.leases, name, { ...row, holder: null, expiresAt: tx.now });
        }
        tx.afterCommit(() => db.wake('leases'));
      }),
  };
}
