import { DELIVERY, WATCH } from '../../src/messages/due-kinds.ts';
import type { Journey } from '../../src/messages/journey.ts';
import { hasEnded, isOpen, mayBecome } from '../../src/messages/policy.ts';
import type { Socket, Written } from './linked.ts';
import type { Channel } from './node.ts';
import type { People } from './people.ts';
import type { Arrival, Phones } from './provider.ts';
import type { Transaction, Write } from './store.ts';
import {
  type AttemptRow,
  type DeliveryRow,
  deliveryKeyOf,
  dueKeyOf,
  type LeaseRecord,
  type MemoryDatabase,
} from './tables.ts';
import type { World } from './world.ts';

type Parts = {
  world: World;
  db: MemoryDatabase;
  people: People;
  phones: Phones;
  ledger: Arrival[];
  channels: readonly Channel[];
};

/** What a process that just went on may still have open before it has looked at its watch. */
const WAKING_MS = 500;

/**
 * What must hold at every step and at the end, judged by the ledger of the provider and the committed rows alone.
 */
export class Checks {
  readonly #parts: Parts;
  /** How often a delivery was sent again by decision, and may reach a person once more. */
  readonly #decisions = new Map<string, number>();
  readonly #decidedAt = new Map<string, number>();
  readonly #arrivals = new Map<string, Arrival[]>();
  unknown = 0;
  attempts = 0;
  resent = 0;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /** Everything that was accepted has come to an end, or waits for nobody but a person. */
  get isSettled(): boolean {
    const { db } = this.#parts;
    return db.due.committed.size === 0 && [...db.deliveries.committed.values()].every(isAtRest);
  }

  commit(tx: Transaction, writes: Write[]): void {
    const { db } = this.#parts;
    const touched = new Set<string>();
    for (const { table, key, before, after } of writes) {
      if ((table as object) === db.deliveries) {
        this.#step(before as DeliveryRow | undefined, after as DeliveryRow | undefined, tx);
        touched.add(key);
      } else if ((table as object) === db.attempts) {
        if (!before) this.#begun(after as AttemptRow, tx);
        touched.add(deliveryKeyOf(after as AttemptRow));
      } else if ((table as object) === db.due) {
        const { workspaceId, subjectId } = (after ?? before) as { workspaceId: string; subjectId: string };
        touched.add(deliveryKeyOf({ workspaceId, deliveryId: subjectId }));
      }
    }
    for (const key of touched) this.#hasItsDueWork(db.deliveries.committed.get(key), tx);
  }

  /** A message is handed to a connection. */
  send({ process, wire }: Written): void {
    const row = this.#rowOf(wire.payload);
    if (!row) return;
    // Where the clock is set back meanwhile, what has been begun is not held up by it.
    if (process.machine.jumps) return;
    const early = row.journey.dueAt.getTime() - process.clock.now().getTime();
    if (early > 0 && row.journey.status !== 'queued')
      this.#violate(`${row.text} left ${early} ms before its instant`);
  }

  /** A message leaves the machine. */
  write({ process, channelId, wire }: Written): void {
    const { db, world } = this.#parts;
    const lease = db.leases.committed.get(`channel:${channelId}`);
    const row = this.#rowOf(wire.payload);
    world.note(process.bootId, () => `writes ${row?.text} as ${wire.providerId}`);
    if (lease?.holder !== process.bootId || lease.expiresAt.getTime() <= world.date().getTime())
      this.#violate(`${process.bootId} wrote to ${channelId} without its lease`);
    if (!row) {
      this.#violate('something left that nobody had accepted');
      return;
    }
    const { status } = row.journey;
    if (status === 'queued' || status === 'cancelled' || status === 'missed')
      this.#violate(`${row.text} left although it is ${status}`);
    const attempts = db.attemptsOf(row.deliveryId);
    if (!attempts.some(attempt => attempt.wire.providerId === wire.providerId))
      this.#violate(`${row.text} left before its attempt was stored`);
  }

  arrive(arrival: Arrival): void {
    const known = this.#arrivals.get(arrival.text) ?? [];
    this.#arrivals.set(arrival.text, [...known, arrival]);
    const ids = new Set([...known, arrival].map(({ providerId }) => providerId));
    if (ids.size > this.#mostCopies(arrival.text, arrival.channelId))
      this.#violate(`${arrival.text} was taken ${ids.size} times under different ids`);
  }

  replaced(old: Socket, by: Socket): void {
    const { process } = old;
    if (process === by.process || !process.isAlive || process.isPaused || old.isGone) return;
    if (this.#parts.world.now - process.runsSince < WAKING_MS) return;
    this.#violate(`${process.bootId} and ${by.process.bootId} were connected for ${old.channelId} at once`);
  }

  /** What must hold when no more steps are taken. */
  end(): void {
    const { db, people, phones } = this.#parts;
    for (const { deliveryId, workspaceId, channelId, text } of people.accepted) {
      const row = db.deliveries.committed.get(deliveryKeyOf({ workspaceId, deliveryId }));
      if (!row) {
        this.#violate(`${text} was accepted and is lost`);
        continue;
      }
      this.#tellsTheTruth(row);
      for (const [name, ids] of phones.screens)
        if (name.endsWith(` ${text}`) && ids.size > this.#mostCopies(text, channelId))
          this.#violate(`${name.split(' ')[0]} sees ${text} ${ids.size} times`);
    }
    if (db.store.deadlocks > 0) this.#violate('two transactions blocked each other');
  }

  /** The same, once faults have stopped for long enough. */
  endOfAll(): void {
    const { db } = this.#parts;
    for (const row of db.deliveries.committed.values())
      if (!isAtRest(row)) this.#violate(`${row.text} is still ${row.journey.status}`);
    for (const row of db.due.committed.values())
      this.#violate(`${row.kind} of ${row.subjectId} is still on the list`);
    for (const attempt of db.attempts.committed.values())
      if (attempt.status === 'in_flight') this.#violate(`an attempt of ${attempt.deliveryId} is still open`);
  }

  #step(before: DeliveryRow | undefined, after: DeliveryRow | undefined, tx: Transaction): void {
    if (!after) this.#violate(`${before?.text} was deleted`);
    if (!after || !before) return;
    const from = before.journey.status;
    const to = after.journey.status;
    if (from === to) return;
    this.#parts.world.note(tx.by, () => `${after.text}: ${from} → ${to}${why(after.journey)}`);
    if (!mayBecome(from, to)) this.#violate(`${after.text} went from ${from} to ${to}`);
    if (to === 'unknown') this.unknown += 1;
    if (from !== 'unknown' || to !== 'queued') return;
    this.#decisions.set(after.text, (this.#decisions.get(after.text) ?? 0) + 1);
    this.#decidedAt.set(after.text, this.#parts.world.now);
  }

  #begun(attempt: AttemptRow, tx: Transaction): void {
    const { db } = this.#parts;
    this.attempts += 1;
    if (attempt.number > 1) this.resent += 1;
    this.#parts.world.note(tx.by, () => `begins attempt ${attempt.number} of ${attempt.deliveryId}`);
    const lease = db.leases.committed.get(`channel:${attempt.channelId}`) as LeaseRecord;
    if (lease.holder !== tx.by || lease.fence !== attempt.fence)
      this.#violate(`${tx.by} began ${attempt.deliveryId} under a fence that is over`);
    const open = db
      .attemptsOf(attempt.deliveryId)
      .filter(({ id, status }) => id !== attempt.id && status === 'in_flight');
    if (open.length > 0) this.#violate(`${attempt.deliveryId} was begun while another attempt was open`);
    const ids = new Set(db.attemptsOf(attempt.deliveryId).map(({ wire }) => wire.providerId));
    if (ids.size > 1 && this.#isLinked(attempt.channelId))
      this.#violate(`${attempt.deliveryId} was begun again under another id`);
  }

  /** Nothing can get stuck that somebody is due to look at. */
  #hasItsDueWork(row: DeliveryRow | undefined, tx: Transaction): void {
    if (!row) return;
    const { db } = this.#parts;
    const has = (kind: string) =>
      db.due.committed.has(dueKeyOf({ workspaceId: row.workspaceId, kind, subjectId: row.deliveryId }));
    const { status } = row.journey;
    if (status === 'queued' && !(has(DELIVERY) && has(WATCH)))
      this.#violate(`${row.text} is queued and nobody will look at it (${tx.by})`);
    if (status === 'in_flight' && !has(WATCH))
      this.#violate(`${row.text} is in flight and nobody watches it (${tx.by})`);
    // What turns out to have been sent while it waited to be sent again is taken off the list when its turn comes.
    if (status !== 'queued' && status !== 'accepted' && !isProved(status) && has(DELIVERY))
      this.#violate(`${row.text} is ${status} and still due to be sent (${tx.by})`);
  }

  /** What the rows say to people is what the ledger says. */
  #tellsTheTruth({ text, deliveryId, journey }: DeliveryRow): void {
    const { status, reason } = journey;
    const decidedAt = this.#decidedAt.get(text);
    // Who decides without knowing may be wrong; what was done afterwards must be told as it was.
    const arrived = (this.#arrivals.get(text) ?? []).some(
      ({ at }) => decidedAt === undefined || at > decidedAt,
    );
    const saysNo = hasEnded(status) && status !== 'unknown' && reason !== 'given_up';
    if (saysNo && arrived) this.#violate(`${text} is ${status} (${reason}) and was sent all the same`);
    if (this.#parts.people.decided.has(deliveryId) || decidedAt !== undefined) return;
    if ((isProved(status) || status === 'accepted') && !arrived)
      this.#violate(`${text} is ${status} and was never sent`);
  }

  #mostCopies(text: string, channelId: string): number {
    return this.#isLinked(channelId) ? 1 : 1 + (this.#decisions.get(text) ?? 0);
  }

  #isLinked(channelId: string): boolean {
    return this.#parts.channels.find(({ id }) => id === channelId)?.kind === 'linked';
  }

  #rowOf(payload: Uint8Array): DeliveryRow | undefined {
    const text = Buffer.from(payload).toString();
    for (const row of this.#parts.db.deliveries.committed.values()) if (row.text === text) return row;
    return undefined;
  }

  #violate(what: string): void {
    this.#parts.world.violate(what);
  }
}

function isAtRest({ journey: { status } }: DeliveryRow): boolean {
  return status !== 'queued' && status !== 'in_flight';
}

function isProved(status: Journey['status']): boolean {
  return !isOpen(status) && !hasEnded(status);
}

function why({ reason }: Journey): string {
  return reason === null ? '' : ` (${reason})`;
}
