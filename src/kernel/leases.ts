import { sql } from 'kysely';
import { outsideTransaction, type Tx } from './database/database.ts';
import type { Kernel } from './kernel.ts';

/** The right to drive something, held by one process at a time. */
export type Lease = {
  readonly name: string;
  /** Grows with every new holder; goes into what the holder writes. */
  readonly fence: number;
  /** Whether acting is still safe, by a local deadline that ends before the database's. */
  held(): boolean;
  /** Aborts once the lease is lost or given back: stop at once. */
  readonly lost: AbortSignal;
  release(): Promise<void>;
};

export type Leases = {
  /** Undefined when somebody else holds it. */
  acquire(name: string): Promise<Lease | undefined>;
  /** Gives everything back and renews no more. */
  stop(): Promise<void>;
};

/** Somebody else holds the lease by now: what was to be written is not valid any more. */
export class LeaseLost extends Error {
  constructor(name: string) {
    super(`The lease ${name} is no longer ours.`);
    this.name = 'LeaseLost';
  }
}

export type LeaseOptions = {
  ttlMs?: number;
  renewMs?: number;
  /** How long before the database's expiry the holder stops by itself. */
  marginMs?: number;
};

type Held = Lease & { deadline: number; readonly end: AbortController };

/** What only this file knows of a lease. */
const inner = new WeakMap<Lease, { holder: string; drop: () => void }>();

/**
 * Leases by the database's clock alone: a lease is taken over only after its expiry there, with fence
 * + 1. The holder counts by its own monotonic clock from before each renewal was sent, so it stops
 * earlier, whatever the wall clocks say. All leases of a node are renewed by one statement.
 */
export function createLeases(
  kernel: Pick<Kernel, 'database' | 'clock' | 'log' | 'node'>,
  options: LeaseOptions = {},
): Leases {
  const { ttlMs = 30_000, renewMs = 10_000, marginMs = 5_000 } = options;
  const { database, clock, log } = kernel;
  const holder = kernel.node.bootId;
  const held = new Map<string, Held>();
  let renewedAt = clock.monotonic();
  let renewing: Promise<void> | undefined;
  let stopped = false;

  const drop = (lease: Held) => {
    if (held.get(lease.name) === lease) held.delete(lease.name);
    lease.end.abort();
  };
  const renew = async () => {
    const leases = [...held.values()];
    const from = clock.monotonic();
    const names = await database.inEngine('leases.renew', tx => renewRows(tx, holder, leases, ttlMs));
    renewedAt = from;
    for (const lease of leases) {
      if (names.has(lease.name)) lease.deadline = from + ttlMs - marginMs;
      else drop(lease);
    }
  };
  const tick = () => {
    const now = clock.monotonic();
    for (const lease of held.values()) if (now >= lease.deadline) drop(lease);
    if (renewing || held.size === 0 || now - renewedAt < renewMs) return;
    renewing = renew()
      .catch(error =>
        log.warn({ event: 'leases.renew', err: error }, 'leases were not renewed, trying again'),
      )
      .finally(() => {
        renewing = undefined;
      });
  };
  const timer = outsideTransaction(() => setInterval(tick, Math.max(5, Math.min(marginMs, renewMs) / 5)));
  timer.unref();

  return {
    acquire: async name => {
      if (stopped || held.has(name)) return undefined;
      const from = clock.monotonic();
      const fence = await outsideTransaction(() =>
        database.inEngine('leases.acquire', tx => takeRow(tx, name, holder, ttlMs)),
      );
      if (fence === undefined) return undefined;
      const end = new AbortController();
      const lease: Held = {
        name,
        fence,
        end,
        deadline: from + ttlMs - marginMs,
        lost: end.signal,
        held: () => !end.signal.aborted && clock.monotonic() < lease.deadline,
        release: async () => {
          drop(lease);
          // A renewal that is under way would bring it back to life, and keep everybody off it.
          await renewing;
          await database.inEngine('leases.release', tx => freeRows(tx, holder, [lease]));
        },
      };
      inner.set(lease, { holder, drop: () => drop(lease) });
      if (stopped) {
        await lease.release();
        return undefined;
      }
      held.set(name, lease);
      return lease;
    },
    stop: async () => {
      stopped = true;
      clearInterval(timer);
      const leases = [...held.values()];
      for (const lease of leases) drop(lease);
      await renewing;
      if (leases.length > 0) await database.inEngine('leases.stop', tx => freeRows(tx, holder, leases));
    },
  };
}

/**
 * Proves inside an engine transaction that the lease is still ours, and keeps it so until the commit.
 * Otherwise the lease is over here as well, and LeaseLost rolls the transaction back.
 */
export async function assertFence(tx: Tx, lease: Lease): Promise<void> {
  const row = await tx
    .selectFrom('leases')
    .select(['holder', 'fence'])
    .where('name', '=', lease.name)
    .forShare()
    .executeTakeFirst();
  const own = inner.get(lease);
  if (row?.fence === lease.fence && row.holder === own?.holder) return;
  own?.drop();
  throw new LeaseLost(lease.name);
}

async function takeRow(tx: Tx, name: string, holder: string, ttlMs: number): Promise<number | undefined> {
  const row = await tx
    .insertInto('leases')
    .values({ name, holder, fence: 1, expires_at: after(ttlMs) })
    .onConflict(oc =>
      oc
        .column('name')
        .doUpdateSet({ holder, fence: sql`leases.fence + 1`, expires_at: after(ttlMs) })
        .where('leases.expires_at', '<=', sql<Date>`now()`),
    )
    .returning('fence')
    .executeTakeFirst();
  return row?.fence;
}

/** Locks in the order of names, so that two statements over many leases cannot block each other. */
async function renewRows(tx: Tx, holder: string, leases: Held[], ttlMs: number): Promise<Set<string>> {
  const { rows } = await sql<{ name: string }>`
    with mine as (
      select l.name from leases l
      join json_to_recordset(${listOf(leases)}::json) as m(name text, fence bigint)
        on m.name = l.name and m.fence = l.fence
      where l.holder = ${holder}
      order by l.name
      for no key update of l
    )
    update leases l set expires_at = ${after(ttlMs)} from mine where mine.name = l.name returning l.name
  `.execute(tx);
  return new Set(rows.map(row => row.name));
}

async function freeRows(tx: Tx, holder: string, leases: Held[]): Promise<void> {
  await sql`
    update leases l set expires_at = now()
    from json_to_recordset(${listOf(leases)}::json) as m(name text, fence bigint)
    where m.name = l.name and m.fence = l.fence and l.holder = ${holder}
  `.execute(tx);
}

function after(ms: number) {
  return sql<Date>`now() + ${ms}::float8 * interval '1 millisecond'`;
}

function listOf(leases: Held[]): string {
  return JSON.stringify(leases.map(({ name, fence }) => ({ name, fence })));
}
