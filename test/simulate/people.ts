import { deliveryAt, deliveryKey, watchAt, watchKey } from '../../src/messages/due-kinds.ts';
import { advance, GIVEN_UP, type Journey, reopen, sendAgain } from '../../src/messages/journey.ts';
import { dropDue, scheduleDue } from './memory-due.ts';
import type { Transaction } from './store.ts';
import { type DeliveryRow, deliveryKeyOf, type MemoryDatabase } from './tables.ts';
import type { World } from './world.ts';

export const CATCH_UP_MS = 86_400_000;

export type Wish = {
  workspaceId: string;
  channelId: string;
  phone: string | null;
  groupId: string | null;
  source: 'api' | 'reminder';
  dueAt: Date;
  catchUpMs: number;
};

/** What people want: accepted, taken back, decided about. Each is one transaction, as the API makes it. */
export class People {
  readonly #world: World;
  readonly #db: MemoryDatabase;
  /** What was answered with 202, in order. */
  readonly accepted: DeliveryRow[] = [];
  /** How often somebody decided to send it again, by delivery. */
  readonly sentAgain = new Map<string, number>();
  /** Deliveries that a person decided about in any way. */
  readonly decided = new Set<string>();
  readonly cancelledAt = new Map<string, number>();

  constructor(world: World, db: MemoryDatabase) {
    this.#world = world;
    this.#db = db;
  }

  accept(wish: Wish): Promise<void> {
    return this.#do('people.accept', async tx => {
      if (wish.phone !== null && tx.get(this.#db.optOuts, wish.phone)) return;
      const id = `m${String(this.accepted.length + 1).padStart(3, '0')}`;
      const row: DeliveryRow = {
        workspaceId: wish.workspaceId,
        deliveryId: id,
        messageId: id,
        channelId: wish.channelId,
        groupId: wish.groupId,
        phone: wish.phone,
        text: id,
        source: wish.source,
        journey: queued(wish.dueAt, new Date(wish.dueAt.getTime() + wish.catchUpMs)),
      };
      this.accepted.push(row);
      await tx.put(this.#db.deliveries, deliveryKeyOf(row), row);
      await scheduleDue(this.#db, tx, [deliveryAt(row, wish.dueAt), watchAt(row, row.journey.catchUpUntil)]);
      this.#world.note('people', () => `${id} to ${wish.phone ?? wish.groupId} on ${wish.channelId}`);
    });
  }

  cancel(row: DeliveryRow): Promise<void> {
    return this.#do('people.cancel', async tx => {
      const current = await this.#lock(tx, row);
      if (current?.journey.status !== 'queued') return;
      tx.write(this.#db.deliveries, deliveryKeyOf(row), {
        ...current,
        journey: { ...current.journey, status: 'cancelled', endedAt: tx.now },
      });
      await dropDue(this.#db, tx, [deliveryKey(row), watchKey(row)]);
      tx.afterCommit(() => {
        this.cancelledAt.set(row.deliveryId, this.#world.now);
        this.#world.note('people', () => `${row.deliveryId} is cancelled`);
      });
    });
  }

  resolve(row: DeliveryRow, as: 'arrived' | 'send_again' | 'give_up'): Promise<void> {
    return this.#do('people.resolve', async tx => {
      const current = await this.#lock(tx, row);
      if (current?.journey.status !== 'unknown') return;
      const { journey } = current;
      const next =
        as === 'arrived'
          ? advance(journey, 'sent', tx.now)
          : as === 'give_up'
            ? advance(journey, 'failed', tx.now, GIVEN_UP)
            : sendAgain(journey, tx.now);
      tx.write(this.#db.deliveries, deliveryKeyOf(row), { ...current, journey: next });
      await dropDue(this.#db, tx, [deliveryKey(row), watchKey(row)]);
      if (next.status === 'queued')
        await scheduleDue(this.#db, tx, [deliveryAt(row, next.dueAt), watchAt(row, next.catchUpUntil)]);
      tx.afterCommit(() => {
        this.decided.add(row.deliveryId);
        this.#world.note('people', () => `decided about ${row.deliveryId}: ${as}`);
      });
    });
  }

  optOut(phone: string): Promise<void> {
    const why = { reason: 'opted_out', detail: 'No more.' };
    return this.#do('people.opt_out', async tx => {
      await tx.put(this.#db.optOuts, phone, why);
      this.#world.note('people', () => `${phone} wants no more messages`);
    });
  }

  park(channelId: string): Promise<void> {
    return this.#do('people.park', async tx => {
      await tx.lock(this.#db.gate, 'parking');
      await tx.put(this.#db.parkings, channelId, { at: tx.now });
      this.#world.note('people', () => `${channelId} is parked`);
      tx.afterCommit(() => this.#db.wake('parking'));
    });
  }

  /** What has become overdue meanwhile is still to be sent. */
  arm(channelId: string): Promise<void> {
    return this.#do('people.arm', async tx => {
      await tx.lock(this.#db.parkings, channelId);
      for (const row of this.accepted) {
        if (row.channelId !== channelId) continue;
        const current = await this.#lock(tx, row);
        if (current?.journey.status !== 'queued' || current.journey.catchUpUntil > tx.now) continue;
        const next = reopen(current.journey, tx.now);
        tx.write(this.#db.deliveries, deliveryKeyOf(row), { ...current, journey: next });
        await scheduleDue(this.#db, tx, [watchAt(row, next.catchUpUntil)]);
      }
      await tx.put(this.#db.parkings, channelId, undefined);
      this.#world.note('people', () => `${channelId} goes on`);
      tx.afterCommit(() => this.#db.wake('parking'));
    });
  }

  /** A deadlock would only be run again; nobody may cause one, so it is not caught here. */
  #do(by: string, work: (tx: Transaction) => Promise<void>): Promise<void> {
    return this.#db.store.atomic(by, work);
  }

  async #lock(tx: Transaction, row: DeliveryRow): Promise<DeliveryRow | undefined> {
    await tx.lock(this.#db.deliveries, deliveryKeyOf(row));
    return tx.get(this.#db.deliveries, deliveryKeyOf(row));
  }
}

export function queued(dueAt: Date, catchUpUntil: Date): Journey {
  return {
    status: 'queued',
    reason: null,
    detail: null,
    dueAt,
    catchUpUntil,
    recipients: null,
    deliveredCount: 0,
    readCount: 0,
    inFlightAt: null,
    acceptedAt: null,
    sentAt: null,
    deliveredAt: null,
    readAt: null,
    endedAt: null,
    resendUntil: null,
    doubtAt: null,
    onUnknown: null,
  };
}
