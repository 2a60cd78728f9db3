import type { Driven } from '../../src/channels/index.ts';

import type { Book, Books, Letter, Locked, OpenAttempt, Readiness } from '../../src/messages/book/index.ts';
import { RESEND_MS, WATCH } from '../../src/messages/due-kinds.ts';
import type { Verdict } from '../../src/messages/guards.ts';
import { perhapsArrived, readLast, settleAttempts } from './memory-attempts.ts';
import { dropDue, scheduleDue, takeDue } from './memory-due.ts';
import type { Transaction } from './store.ts';
import {
  type AttemptRow,
  type DeliveryRow,
  deliveryKeyOf,
  type LeaseRecord,
  type MemoryDatabase,
} from './tables.ts';

/** Carries one statement to where the rows are, and its result back. */
export type Carry = <T>(statement: (tx: Transaction) => Promise<T> | T) => Promise<T>;

/** Of these, what a process drives by leases whose rows say so as well. */
export type Proof = (driven: Driven[], rows: Map<string, LeaseRecord>) => Driven[];

const OPEN_WITHIN_MS = RESEND_MS + 5 * 60_000;

/** Each transaction on the spot, without a way in between. */
export function memoryBooks(db: MemoryDatabase, bootId: string, proof: Proof): Books {
  return {
    open: (_name, work) =>
      db.store.atomic(bootId, tx => work(memoryBook(db, bootId, proof, async statement => statement(tx)))),
  };
}

/** The same contract as the book over SQL, statement by statement. */
export function memoryBook(db: MemoryDatabase, bootId: string, proof: Proof, carry: Carry): Book {
  return {
    lockJourneys: keys =>
      carry(async tx => {
        const names = [...new Map(keys.map(key => [key.deliveryId, deliveryKeyOf(key)]))].sort(byFirst);
        const locked = new Map<string, Locked>();
        for (const [id, name] of names) {
          if (!tx.get(db.deliveries, name)) continue;
          await tx.lock(db.deliveries, name);
          const row = tx.get(db.deliveries, name);
          if (row) locked.set(id, lockedOf(tx, row));
        }
        return locked;
      }),
    writeJourneys: changes =>
      carry(async tx => {
        for (const { locked, next } of changes) {
          const name = deliveryKeyOf(locked);
          const row = tx.get(db.deliveries, name);
          if (row && next !== locked.journey) await tx.put(db.deliveries, name, { ...row, journey: next });
        }
      }),
    takeDue: items => carry(tx => takeDue(db, tx, bootId, items)),
    scheduleDue: items => carry(tx => scheduleDue(db, tx, items)),
    dropDue: keys => carry(tx => dropDue(db, tx, keys)),
    stillDriven: async driven => proof(driven, await carry(tx => lockLeases(db, tx, driven))),
    readLetters: of => carry(tx => new Map(of.flatMap(one => lettersOf(db, tx, one)))),
    askGuards: of => carry(tx => verdictsOf(db, tx, of)),
    insertAttempts: attempts =>
      carry(async tx => {
        for (const attempt of attempts) {
          const { workspaceId, deliveryId, channelId, id, wire } = attempt;
          await tx.put(db.attempts, id, { ...attempt, by: bootId, status: 'in_flight', code: null });
          const name = `${channelId} ${wire.providerId}`;
          await tx.lock(db.providerIds, name);
          const known = tx.get(db.providerIds, name);
          if (!known || known.deliveryId === deliveryId)
            tx.write(db.providerIds, name, { workspaceId, deliveryId, attemptId: id });
        }
      }),
    settleAttempts: results => carry(tx => settleAttempts(db, tx, results)),
    endOverdue: watched =>
      carry(async tx => {
        const open = new Map<string, Date>();
        for (const { of, at, status } of watched) {
          for (const attempt of tx.all(db.attempts).values()) {
            if (attempt.deliveryId !== of.deliveryId || attempt.status !== 'in_flight') continue;
            const known = open.get(of.deliveryId);
            if (attempt.deadline <= at)
              await tx.put(db.attempts, attempt.id, {
                ...attempt,
                status,
                code: status === 'unknown' ? 'timeout' : attempt.code,
              });
            else if (!known || attempt.deadline > known) open.set(of.deliveryId, attempt.deadline);
          }
        }
        return open;
      }),
    lockOpen: ({ workspaceId, channelId }) =>
      carry(async tx => {
        const until = tx.now.getTime() + OPEN_WITHIN_MS;
        const watched = [...tx.all(db.due).values()].filter(
          row => row.kind === WATCH && row.lane === channelId && row.dueAt.getTime() <= until,
        );
        const open: OpenAttempt[] = [];
        const keys = watched.map(row => deliveryKeyOf({ workspaceId, deliveryId: row.subjectId }));
        for (const key of keys.sort()) {
          if (tx.get(db.deliveries, key)?.journey.status !== 'in_flight') continue;
          await tx.lock(db.deliveries, key);
          const row = tx.get(db.deliveries, key);
          const last = row?.journey.status === 'in_flight' ? readLast(db, tx, row.deliveryId) : undefined;
          if (!row || !last) continue;
          const { id, number, wire, status } = last;
          open.push({
            id,
            number,
            channelId: last.channelId,
            wire,
            inFlight: status === 'in_flight',
            doubted: perhapsArrived(db, tx, row.deliveryId),
            locked: lockedOf(tx, row),
          });
        }
        return open;
      }),
    perhapsArrived: of =>
      carry(
        tx =>
          new Set(
            of
              .map(({ deliveryId }) => deliveryId)
              .filter(deliveryId => perhapsArrived(db, tx, deliveryId) > 0),
          ),
      ),
    // The providers of the simulation restrict nobody.
    restrict: async () => {},
    lastAttempts: of =>
      carry(
        tx =>
          new Map(
            of.flatMap(({ deliveryId }): [string, AttemptRow][] => {
              const last = readLast(db, tx, deliveryId);
              return last ? [[deliveryId, last]] : [];
            }),
          ),
      ),
    readReadiness: of => carry(tx => new Map(of.map(one => [one.deliveryId, readinessOf(db, tx, one)]))),
    findNamed: words =>
      carry(tx =>
        words.flatMap(({ channelId, providerId, word }) => {
          const row = tx.get(db.providerIds, `${channelId} ${providerId}`);
          return row ? [{ ...row, word }] : [];
        }),
      ),
    insertReceipts: keys =>
      carry(async tx => {
        const fresh: typeof keys = [];
        for (const key of keys) {
          const name = `${key.workspaceId} ${key.deliveryId} ${key.recipient} ${key.kind}`;
          await tx.lock(db.receiptKeys, name);
          if (tx.get(db.receiptKeys, name)) continue;
          tx.write(db.receiptKeys, name, { at: key.at });
          fresh.push(key);
        }
        return fresh;
      }),
    clearUpAttempts: of =>
      carry(async tx => {
        for (const { attemptId } of of) {
          const attempt = tx.get(db.attempts, attemptId);
          if (attempt?.status === 'unknown')
            await tx.put(db.attempts, attemptId, { ...attempt, status: 'accepted', code: null });
        }
      }),
  };
}

/** Nobody can take these over until the end of the transaction; renewing them is no obstacle. By channel id. */
async function lockLeases(
  db: MemoryDatabase,
  tx: Transaction,
  driven: Driven[],
): Promise<Map<string, LeaseRecord>> {
  const rows = new Map<string, LeaseRecord>();
  for (const id of driven.map(({ channelId }) => channelId).sort()) {
    await tx.lock(db.leases, `channel:${id}`, 'key share');
    const row = tx.get(db.leases, `channel:${id}`);
    if (row) rows.set(id, row);
  }
  return rows;
}

function lockedOf(tx: Transaction, row: DeliveryRow): Locked {
  const { workspaceId, deliveryId, messageId, channelId, groupId, phone, journey } = row;
  const overdueMs = tx.now.getTime() - journey.catchUpUntil.getTime();
  return { workspaceId, deliveryId, messageId, channelId, groupId, phone, overdueMs, journey };
}

function lettersOf(db: MemoryDatabase, tx: Transaction, of: Locked): [string, Letter][] {
  const row = tx.get(db.deliveries, deliveryKeyOf(of));
  if (!row) return [];
  const policy = tx.get(db.policies, of.workspaceId);
  const onUnknown = row.source === 'reminder' ? policy?.unknownReminder : policy?.unknownApi;
  const last = of.journey.inFlightAt ? readLast(db, tx, of.deliveryId) : undefined;
  return [
    [
      of.deliveryId,
      {
        content: { type: 'text', text: { body: row.text } },
        source: row.source,
        group: (of.groupId !== null && tx.get(db.groups, of.groupId)) || null,
        last: last ? { id: last.id, number: last.number, channelId: last.channelId, wire: last.wire } : null,
        resend: policy?.resend ?? true,
        onUnknown: onUnknown ?? null,
      },
    ],
  ];
}

/** People who have opted out, and channels that are parked: they stay so until the end of the transaction. */
async function verdictsOf(db: MemoryDatabase, tx: Transaction, of: Locked[]): Promise<Map<string, Verdict>> {
  const verdicts = new Map<string, Verdict>();
  await tx.lock(db.gate, 'parking', 'key share');
  for (const { deliveryId, channelId, phone } of of) {
    const why = phone === null ? undefined : tx.get(db.optOuts, phone);
    if (tx.get(db.parkings, channelId)) verdicts.set(deliveryId, { hold: 'parked' });
    else if (why) verdicts.set(deliveryId, { end: 'failed', why });
  }
  return verdicts;
}

/** A reconnect or a take-over that lasts no longer is no reason to call a message missed. */
const AWAY_MS = 60_000;

function readinessOf(db: MemoryDatabase, tx: Transaction, { channelId, journey }: Locked): Readiness {
  if (tx.get(db.parkings, channelId)) return 'parked';
  const channel = tx.get(db.channels, channelId);
  const lease = tx.get(db.leases, `channel:${channelId}`);
  if (!channel) return 'not_ready';
  const isConnected = channel.status === 'connected';
  if (isConnected && lease && lease.expiresAt > tx.now) {
    const since = Math.max(channel.statusAt.getTime(), lease.takenAt.getTime());
    return since <= journey.catchUpUntil.getTime() + AWAY_MS ? 'ready' : 'not_ready';
  }
  const stood = isConnected ? lease?.expiresAt : channel.statusAt;
  return stood && stood.getTime() > tx.now.getTime() - AWAY_MS ? 'away' : 'not_ready';
}

function byFirst([a]: [string, string], [b]: [string, string]): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
